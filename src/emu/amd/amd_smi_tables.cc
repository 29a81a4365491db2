// amd-smi's tables (monitor, topology, xgmi, partition) and its lists of processes and firmware.
#include <algorithm>
#include <functional>

#include "base/text.h"
#include "emu/amd/amd_smi_internal.h"

namespace micius::emu::amd {
namespace {

struct Column {
  const char *option, *title, *key;
  std::size_t width;
  const char *value, *unit;
};
constexpr Column kColumns[] = {
    {"-p", "POWER", "power_usage", 7, "{power.int}", "W"},
    {"-t", "GPU_TEMP", "hotspot_temperature", 10, "{temp.junction.int}", "°C"},
    {"-t", "MEM_TEMP", "memory_temperature", 10, "{temp.memory.int}", "°C"},
    {"-u", "GFX_UTIL", "gfx", 10, "{use}", "%"},
    {"-u", "GFX_CLOCK", "gfx_clock", 11, "{clk.sclk}", "MHz"},
    {"-m", "MEM_UTIL", "mem", 10, "{memory_use}", "%"},
    {"-m", "MEM_CLOCK", "mem_clock", 11, "{clk.mclk}", "MHz"},
    {"-n", "ENC_UTIL", "encoder", 10, "N/A", ""},
    {"-n", "ENC_CLOCK", "encoder_clock", 11, "29", "MHz"},
    {"-d", "DEC_UTIL", "decoder", 10, "N/A", ""},
    {"-d", "DEC_CLOCK", "decoder_clock", 11, "22", "MHz"},
    {"-e", "SINGLE_ECC", "single_bit_ecc", 12, "{ecc.ce}", ""},
    {"-e", "DOUBLE_ECC", "double_bit_ecc", 12, "{ecc.ue}", ""},
    {"-e", "PCIE_REPLAY", "pcie_replay", 13, "{replay}", ""},
    {"-v", "VRAM_USED", "vram_used", 11, "{vram.used.mb}", "MB"},
    {"-v", "VRAM_TOTAL", "vram_total", 12, "{vram.total.mb}", "MB"},
    {"-r", "PCIE_BW", "pcie_bw", 10, "{pcie.bandwidth}", "Mb/s"},
    {"-V", "PVIOL", "pviol", 10, "0", "%"},
    {"-V", "TVIOL", "tviol", 10, "0", "%"},
    {"-V", "PHOT_TVIOL", "phot_tviol", 12, "0", "%"},
    {"-V", "VR_TVIOL", "vr_tviol", 10, "0", "%"},
    {"-V", "HBM_TVIOL", "hbm_tviol", 11, "0", "%"},
};

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, code_points(text)), ' ') + text;
}

std::string size_text(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::vector<Process> chosen_processes(const AmdSmi& smi, std::size_t gpu) {
  std::vector<Process> found;
  const auto pid = smi.parsed.value("-p"), name = smi.parsed.value("-n");
  const bool filtered = smi.parsed.command->name == "process";
  for (const Process& process : processes(smi.host)) {
    if (process.gpu != gpu) continue;
    if (filtered && pid && *pid != std::to_string(process.pid)) continue;
    if (filtered && name && lower_ascii(*name) != lower_ascii(process.name)) continue;
    found.push_back(process);
  }
  return found;
}

// Without root the names of other users' processes stay hidden.
std::string shown_name(const AmdSmi& smi, const Process& process) {
  return smi.host.root() ? process.name : "N/A";
}

void process_table(const AmdSmi& smi) {
  smi.host.print(
      "\nPROCESS INFO:\nGPU                  NAME      PID  GTT_MEM  CPU_MEM  VRAM_MEM  MEM_USAGE     GFX    "
      " ENC\n");
  for (std::size_t gpu : smi.gpus)
    for (const Process& process : chosen_processes(smi, gpu))
      smi.host.print("{:>3}{:>22}{:>9}{:>9}{:>9}{:>10}{:>11}{:>8}{:>8}\n", gpu, shown_name(smi, process),
                     process.pid, size_text(process.gtt), size_text(process.cpu), size_text(process.vram),
                     size_text(process.gtt + process.cpu + process.vram), "0 ns", "0 ns");
}

std::string bus(const Host& host, std::size_t gpu) { return field(host, gpu, "bdf").value_or(""); }

struct Link {
  const char *option, *title, *key;
  std::function<std::string(const AmdSmi&, std::size_t, std::size_t)> cell;
};

const std::vector<Link>& links() {
  static const auto self_or = [](std::string other) {
    return [other = std::move(other)](const AmdSmi&, std::size_t from, std::size_t to) {
      return from == to ? std::string("SELF") : other;
    };
  };
  static const std::vector<Link> kLinks = {
      {"-a", "ACCESS TABLE", "link_status",
       [](const AmdSmi&, std::size_t, std::size_t) { return std::string("ENABLED"); }},
      {"-w", "WEIGHT TABLE", "weight",
       [](const AmdSmi& smi, std::size_t from, std::size_t to) {
         return std::to_string(link_weight(smi.host, from, to));
       }},
      {"-o", "HOPS TABLE", "num_hops",
       [](const AmdSmi& smi, std::size_t from, std::size_t to) {
         return std::to_string(link_hops(link_weight(smi.host, from, to)));
       }},
      {"-t", "LINK TYPE TABLE", "link_type", self_or("XGMI")},
      {"-b", "NUMA BW TABLE", "bandwidth",
       [](const AmdSmi& smi, std::size_t from, std::size_t to) -> std::string {
         if (from == to) return "N/A";
         return link_hops(link_weight(smi.host, from, to)) == 1 ? smi.host.fact_or("links.bandwidth", "")
                                                                : "0-0";
       }},
      {"-c", "CACHE COHERANCY TABLE", "coherent", self_or("C")},
      {"-n", "ATOMICS TABLE", "atomics", self_or("64,32")},
      {"-d", "DMA TABLE", "dma", self_or("T")},
      {"-z", "BI-DIRECTIONAL TABLE", "bi_dir", self_or("T")},
  };
  return kLinks;
}

bool any_of_links(const AmdSmi& smi) {
  return std::any_of(links().begin(), links().end(),
                     [&](const Link& link) { return smi.parsed.has(link.option); });
}

std::string cell13(const std::string& text) { return fmt::format("{:<13}", text); }

std::vector<std::size_t> all_gpus(const Host& host) {
  std::vector<std::size_t> all(host.gpu_count());
  for (std::size_t gpu = 0; gpu < all.size(); ++gpu) all[gpu] = gpu;
  return all;
}

// A table of text whose columns are as wide as their widest cell and two blanks.
void plain_table(Host& host, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size() + 2);
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] - row[i].size(), ' ');
    host.print("{}\n", strip_right(line));
  }
}

struct Mode {
  const char* name;
  int partitions, xcc, decoder, dma, jpeg, decoder_shared, jpeg_shared;
};
constexpr Mode kModes[] = {{"SPX", 1, 8, 4, 16, 32, 1, 1},
                           {"DPX", 2, 4, 2, 8, 16, 1, 1},
                           {"QPX", 4, 2, 1, 4, 8, 1, 1},
                           {"CPX", 8, 1, 1, 2, 8, 2, 2}};

std::vector<std::vector<std::string>> resources(const Mode& mode, int first) {
  return {{std::to_string(first), "XCC", std::to_string(mode.xcc), "1"},
          {std::to_string(first + 1), "DECODER", std::to_string(mode.decoder),
           std::to_string(mode.decoder_shared)},
          {std::to_string(first + 2), "DMA", std::to_string(mode.dma), "1"},
          {std::to_string(first + 3), "JPEG", std::to_string(mode.jpeg), std::to_string(mode.jpeg_shared)}};
}

void accelerator_tables(const AmdSmi& smi) {
  std::vector<std::vector<std::string>> rows{{"GPU_ID", "PROFILE_INDEX", "MEMORY_PARTITION_CAPS",
                                              "ACCELERATOR_TYPE", "PARTITION_ID", "NUM_PARTITIONS",
                                              "NUM_RESOURCES", "RESOURCE_INDEX", "RESOURCE_TYPE",
                                              "RESOURCE_INSTANCES", "RESOURCES_SHARED"}};
  for (std::size_t gpu : smi.gpus) {
    const std::string current = fill(smi.host, gpu, "{compute_partition}");
    for (int index = 0; index < 4; ++index) {
      const Mode& mode = kModes[index];
      const bool now = current == mode.name;
      std::vector<std::string> head{index == 0 ? std::to_string(gpu) : "",
                                    std::to_string(index),
                                    fill(smi.host, gpu, "{memory_partition_caps}"),
                                    mode.name + std::string(now ? "*" : ""),
                                    now ? fill(smi.host, gpu, "{partition_id}") : "N/A",
                                    std::to_string(mode.partitions),
                                    "4"};
      for (const auto& resource : resources(mode, index * 4)) {
        head.insert(head.end(), resource.begin(), resource.end());
        rows.push_back(head);
        head.assign(7, "");
      }
    }
  }
  smi.host.out("ACCELERATOR_PARTITION_PROFILES:\n");
  plain_table(smi.host, rows);
  rows = {{"RESOURCE_INDEX", "RESOURCE_TYPE", "RESOURCE_INSTANCES", "RESOURCES_SHARED"}};
  for (int index = 0; index < 4; ++index)
    for (const auto& resource : resources(kModes[index], index * 4)) rows.push_back(resource);
  smi.host.out("\nACCELERATOR_PARTITION_RESOURCES:\n");
  plain_table(smi.host, rows);
  smi.host.out("\n\nLegend:\n  * = Current mode\n");
}

}  // namespace

void monitor(const AmdSmi& smi, Stamp stamp, Header header) {
  const bool watching = stamp == Stamp::kTime;
  const bool processes_only = smi.parsed.has("-q");
  bool any = false;
  for (const Column& column : kColumns) any = any || smi.given.count(column.option) != 0;
  const auto wanted = [&](const Column& column) {
    return any ? smi.given.count(column.option) != 0 : std::string_view(column.option) != "-V";
  };
  if (smi.format != Format::kText) {
    std::vector<Json> reports;
    for (std::size_t gpu : smi.gpus) {
      Json report = Json::object();
      if (watching) report["timestamp"] = smi.host.now_ns() / 1'000'000'000;
      report["gpu"] = gpu;
      for (const Column& column : kColumns) {
        if (!wanted(column)) continue;
        const std::string value = fill(smi.host, gpu, column.value);
        report[column.key] = column.unit[0] == '\0' ? plain_value(value) : with_unit(value, column.unit);
      }
      reports.push_back(std::move(report));
    }
    return print_reports(smi, reports, header);
  }
  const std::string time =
      watching ? right(std::to_string(smi.host.now_ns() / 1'000'000'000), 10) + "  " : "";
  if (header == Header::kPrinted) {
    std::string text = watching ? right("TIMESTAMP", 10) + "  GPU" : "GPU";
    for (const Column& column : kColumns)
      if (wanted(column)) text += right(column.title, column.width);
    smi.host.print("{}\n", text);
  }
  for (std::size_t gpu : smi.gpus) {
    std::string text = time + right(std::to_string(gpu), 3);
    for (const Column& column : kColumns) {
      if (!wanted(column)) continue;
      const std::string value = fill(smi.host, gpu, column.value);
      text +=
          right(value == "N/A" || column.unit[0] == '\0' ? value : value + " " + column.unit, column.width);
    }
    smi.host.print("{}\n", text);
  }
  if (processes_only) process_table(smi);
}

std::vector<Json> process_reports(const AmdSmi& smi) {
  std::vector<Json> reports;
  const bool general = !smi.parsed.has("-e") || smi.parsed.has("-G"),
             engine = !smi.parsed.has("-G") || smi.parsed.has("-e");
  const bool text = smi.format == Format::kText;
  const auto bytes = [&](std::int64_t count) -> Json {
    return text                         ? Json(size_text(count))
           : smi.format == Format::kCsv ? Json(count)
                                        : with_unit(std::to_string(count), "B");
  };
  for (std::size_t gpu : smi.gpus) {
    Json list = Json::array();
    for (const Process& process : chosen_processes(smi, gpu)) {
      Json info{{"name", shown_name(smi, process)}, {"pid", process.pid}};
      const Json memory{{"gtt_mem", bytes(process.gtt)},
                        {"cpu_mem", bytes(process.cpu)},
                        {"vram_mem", bytes(process.vram)}};
      const Json usage{{"gfx", with_unit("0", "ns")}, {"enc", with_unit("0", "ns")}};
      if (smi.format == Format::kCsv) {
        if (general) info.update(memory);
        if (general) info["mem_usage"] = process.gtt + process.cpu + process.vram;
        if (engine) info.update(Json{{"gfx", 0}, {"enc", 0}});
        Json row{{"gpu", gpu}};
        row.update(info);
        reports.push_back(std::move(row));
        continue;
      }
      if (general) info["memory_usage"] = memory;
      if (general) info["mem_usage"] = bytes(process.gtt + process.cpu + process.vram);
      if (engine) info["usage"] = usage;
      list.push_back(Json{{"process_info", info}});
    }
    if (smi.format == Format::kCsv) continue;
    if (list.empty()) list.push_back(Json{{"process_info", "No running processes detected"}});
    if (!text) {
      reports.push_back(Json{{"gpu", gpu}, {"process_list", list}});
      continue;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {  // one block below another, a head for each
      Json block{{"gpu", gpu}};
      block.update(list[i]);
      reports.push_back(std::move(block));
    }
  }
  return reports;
}

std::vector<Json> firmware_reports(const AmdSmi& smi) {
  std::vector<Json> reports;
  const Json* list = smi.host.json("amdsmi_firmware");
  for (std::size_t gpu : smi.gpus) {
    Json blocks = smi.format == Format::kJson ? Json::array() : Json::object();
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const Json entry{{"fw_id", (*list)[i][0]}, {"fw_version", (*list)[i][1]}};
      if (smi.format == Format::kJson)
        blocks.push_back(entry);
      else if (smi.format == Format::kText)
        blocks[fmt::format("fw {}", i)] = entry;
      else
        reports.push_back(Json{{"gpu", gpu}, {"fw_id", entry["fw_id"]}, {"fw_version", entry["fw_version"]}});
    }
    if (smi.format != Format::kCsv) reports.push_back(Json{{"gpu", gpu}, {"fw_list", blocks}});
  }
  return reports;
}

int topology(const AmdSmi& smi) {
  const bool any = any_of_links(smi);
  const auto wanted = [&](const Link& link) {
    return any ? smi.parsed.has(link.option)
               : std::string_view("-a-w-o-t-b").find(link.option) != std::string_view::npos;
  };
  const std::vector<std::size_t> all = all_gpus(smi.host);
  if (smi.format != Format::kText) {
    std::vector<Json> reports;
    for (std::size_t from : smi.gpus) {
      Json list = Json::array(), flat{{"gpu", from}, {"bdf", bus(smi.host, from)}};
      for (std::size_t to : all) {
        Json entry{{"gpu", to}, {"bdf", bus(smi.host, to)}};
        for (const Link& link : links()) {
          if (!wanted(link)) continue;
          entry[link.key] = plain_value(link.cell(smi, from, to));
          flat[fmt::format("{}_gpu_{}", link.key, to)] = entry[link.key];
        }
        list.push_back(std::move(entry));
      }
      reports.push_back(smi.format == Format::kCsv
                            ? flat
                            : Json{{"gpu", from}, {"bdf", bus(smi.host, from)}, {"links", list}});
    }
    print_reports(smi, reports);
    return 0;
  }
  bool legend = false;
  for (const Link& link : links()) {
    if (!wanted(link)) continue;
    legend = legend || std::string_view("-c-n-d-z").find(link.option) != std::string_view::npos;
    std::string text = cell13("");
    for (std::size_t to : all) text += cell13(bus(smi.host, to));
    smi.host.print("{}:\n{}\n", link.title, strip_right(text));
    for (std::size_t from : smi.gpus) {
      text = cell13(bus(smi.host, from));
      for (std::size_t to : all) text += cell13(link.cell(smi, from, to));
      smi.host.print("{}\n", strip_right(text));
    }
    smi.host.out("\n");
  }
  if (legend)
    smi.host.out(
        "Legend:\n SELF = Current GPU\n ENABLED / DISABLED = Link is enabled or disabled\n N/A = Not "
        "supported\n"
        " T/F = True / False\n C/NC = Coherant / Non-Coherant io links\n 64,32 = 64 bit and 32 bit atomic "
        "support\n"
        " <BW from>-<BW to>\n");
  return 0;
}

int xgmi(const AmdSmi& smi) {
  const std::vector<std::size_t> all = all_gpus(smi.host);
  const std::string rate = smi.host.fact_or("links.bit_rate", ""),
                    most = smi.host.fact_or("links.max_bandwidth", "");
  const auto kilobytes = [&](std::size_t from, std::size_t to, std::int64_t salt) -> std::int64_t {
    return from == to ? -1 : 1 + static_cast<std::int64_t>((from * 7 + to * 3) % 4) * salt;
  };
  if (smi.format != Format::kText) {
    std::vector<Json> reports;
    for (std::size_t from : smi.gpus) {
      Json list = Json::array();
      for (std::size_t to : all)
        if (to != from)
          list.push_back(Json{{"gpu", to},
                              {"bdf", bus(smi.host, to)},
                              {"read", with_unit(std::to_string(kilobytes(from, to, 2)), "KB")},
                              {"write", with_unit(std::to_string(kilobytes(from, to, 1)), "KB")}});
      reports.push_back(
          Json{{"gpu", from},
               {"bdf", bus(smi.host, from)},
               {"link_metrics",
                {{"bit_rate", rate}, {"max_bandwidth", most}, {"link_type", "XGMI"}, {"links", list}}}});
    }
    print_reports(smi, reports);
    return 0;
  }
  if (!smi.parsed.has("-l") || smi.parsed.has("-m")) {
    std::string text =
        fmt::format("{:<7}{:<13}{:<9}{:<14}{:<10}", "", "bdf", "bit_rate", "max_bandwidth", "link_type");
    for (std::size_t to : all) text += cell13(bus(smi.host, to));
    smi.host.print("LINK METRIC TABLE:\n{}\n", strip_right(text));
    for (std::size_t from : smi.gpus) {
      smi.host.print("{:<7}{:<13}{:<9}{:<14}XGMI\n", fmt::format("GPU{}", from), bus(smi.host, from), rate,
                     most);
      for (const auto& [name, salt] : {std::pair<const char*, std::int64_t>{"Read", 2}, {"Write", 1}}) {
        text = fmt::format(" {:<52}", name);
        for (std::size_t to : all)
          text += cell13(from == to ? "N/A" : fmt::format("{} KB", kilobytes(from, to, salt)));
        smi.host.print("{}\n", strip_right(text));
      }
    }
    smi.host.out("\n");
  }
  if (smi.parsed.has("-l")) {
    smi.host.out("XGMI LINK STATUS:\n");
    for (std::size_t from : smi.gpus) {
      std::string text = fmt::format("{:<7}{:<13}", fmt::format("GPU{}", from), bus(smi.host, from));
      for (std::size_t to : all) text += fmt::format(" {}", from == to ? "X" : "U");
      smi.host.print("{}\n", text);
    }
    smi.host.out("\n* U:Up D:Down X:Disabled\n");
  }
  return 0;
}

int partition(const AmdSmi& smi) {
  const bool all = !smi.parsed.has("-c") && !smi.parsed.has("-m") && !smi.parsed.has("-a");
  const auto mode_index = [&](std::size_t gpu) -> std::string {
    for (int index = 0; index < 4; ++index)
      if (fill(smi.host, gpu, "{compute_partition}") == kModes[index].name) return std::to_string(index);
    return "N/A";
  };
  std::vector<std::vector<std::string>> current{
      {"GPU_ID", "MEMORY", "ACCELERATOR_TYPE", "ACCELERATOR_PROFILE_INDEX", "PARTITION_ID"}};
  std::vector<std::vector<std::string>> memory{
      {"GPU_ID", "MEMORY_PARTITION_CAPS", "CURRENT_MEMORY_PARTITION"}};
  for (std::size_t gpu : smi.gpus) {
    const auto text = [&](std::string_view form) { return fill(smi.host, gpu, form); };
    current.push_back({std::to_string(gpu), text("{memory_partition}"), text("{compute_partition}"),
                       mode_index(gpu), text("{partition_id}")});
    memory.push_back({std::to_string(gpu), text("{memory_partition_caps}"), text("{memory_partition}")});
  }
  if (smi.format != Format::kText) {
    std::vector<Json> reports;
    for (std::size_t i = 0; i < smi.gpus.size(); ++i) {
      Json report{{"gpu_id", smi.gpus[i]}};
      for (std::size_t column = 1; column < 5 && (all || smi.parsed.has("-c")); ++column)
        report[lower_ascii(current[0][column])] = plain_value(current[i + 1][column]);
      for (std::size_t column = 1; column < 3 && (all || smi.parsed.has("-m")); ++column)
        report[lower_ascii(memory[0][column])] = memory[i + 1][column];
      reports.push_back(std::move(report));
    }
    print_reports(smi, reports);
    return 0;
  }
  if (all || smi.parsed.has("-c")) {
    smi.host.out("CURRENT_PARTITION:\n");
    plain_table(smi.host, current);
    smi.host.out("\n");
  }
  if (all || smi.parsed.has("-m")) {
    smi.host.out("MEMORY_PARTITION:\n");
    plain_table(smi.host, memory);
    smi.host.out("\n");
  }
  if (all || smi.parsed.has("-a")) accelerator_tables(smi);
  return 0;
}

}  // namespace micius::emu::amd
