// The sections of rocm-smi that are more than one value a line.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/amd/rocm_smi_internal.h"

namespace micius::emu::amd {
namespace {

constexpr const char* kClocks[] = {"fclk", "mclk", "sclk", "socclk"};  // as the tool sorts them
constexpr const char* kRasBlocks[] = {"UMC",       "SDMA", "GFX", "MMHUB", "ATHUB", "PCIE_BIF", "HDP",
                                      "XGMI_WAFL", "DF",   "SMN", "SEM",   "MP0",   "MP1",      "FUSE"};
constexpr std::string_view kEnabledBlocks[] = {"UMC", "SDMA", "GFX", "MMHUB"};

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string safe(std::string_view word) { return shorten(to_valid_utf8(word), 100); }

void driver_version(RocmSmi& smi, const Given&) {
  smi.spacer(" Version of System Component ");
  smi.log_system("Driver version", smi.host.fact_or("driver", ""));
  smi.spacer();
}

void temperature_graph(RocmSmi& smi, const Given&) {
  smi.spacer(" Temperature Graph Junction ");
  for (int round = 0; round < 3; ++round) {
    for (std::size_t gpu : smi.gpus)
      smi.line(fmt::format("GPU[{}] Temp {}°C", gpu, fill(smi.host, gpu, "{temp.junction.int}")));
    smi.host.advance(150'000'000);
  }
  smi.host.unbounded();
  smi.spacer();
}

void events(RocmSmi& smi, const Given& given) {
  constexpr std::string_view kEvents[] = {"VM_FAULT", "THERMAL_THROTTLE", "GPU_PRE_RESET", "GPU_POST_RESET",
                                          "RING_HANG"};
  smi.spacer(" Show Events ");
  smi.line("press 'q' or 'ctrl + c' to quit");
  for (const std::string& word : given.values)
    if (std::find(std::begin(kEvents), std::end(kEvents), upper(word)) == std::end(kEvents))
      smi.warn("ERROR", "GPU[None]\t: Ignoring unrecognized event type " + safe(word));
  smi.line("DEVICE\t\tTIME\t\tTYPE\t\tDESCRIPTION\t");
  smi.host.unbounded();
  smi.stop = 0;
}

void current_clocks(RocmSmi& smi, const Given&) {
  smi.spacer(" Current clock frequencies ");
  for (std::size_t gpu : smi.gpus) {
    for (const char* name : kClocks) {
      const auto found = clock(smi.host, gpu, name);
      if (!found) continue;
      const std::string level = found->name_of(found->current),
                        speed = "(" + found->steps[found->current] + ")";
      if (smi.collect) {
        smi.data["card" + std::to_string(gpu)][fmt::format("{} clock speed:", name)] = speed;
        smi.data["card" + std::to_string(gpu)][fmt::format("{} clock level:", name)] = level;
      } else {
        smi.log(gpu, fmt::format("{} clock level: {}", name, level), speed);
      }
    }
    if (const auto pcie = clock(smi.host, gpu, "pcie"))
      smi.log(gpu, "pcie clock level", fmt::format("{} ({})", pcie->current, pcie->steps[pcie->current]));
  }
  smi.spacer();
}

void gpu_clock(RocmSmi& smi, const Given&) {
  smi.spacer(" Current clock frequencies ");
  for (std::size_t gpu : smi.gpus)
    if (const auto found = clock(smi.host, gpu, "sclk"))
      smi.log(gpu, "sclk clock level",
              fmt::format("{} ({})", found->name_of(found->current), found->steps[found->current]));
  smi.spacer();
}

void supported_clocks(RocmSmi& smi, const Given&) {
  smi.spacer(" Supported clock frequencies ");
  for (std::size_t gpu : smi.gpus) {
    for (const char* name : {"dcefclk", "fclk", "mclk", "sclk", "socclk", "pcie"}) {
      const auto found = clock(smi.host, gpu, name);
      if (found) {
        smi.log(gpu, fmt::format("Supported {} frequencies on GPU{}", name[0] == 'p' ? "PCIe" : name, gpu));
        for (std::size_t step = 0; step < found->steps.size(); ++step)
          smi.log(gpu, found->name_of(step), found->steps[step] + (step == found->current ? " *" : ""));
      }
      smi.log(gpu, "");
    }
    smi.spacer({}, '-');
  }
  smi.spacer();
}

void profiles(RocmSmi& smi, const Given&) {
  static constexpr std::pair<int, const char*> kProfiles[] = {
      {1, "CUSTOM"}, {2, "VIDEO"}, {3, "POWER SAVING"}, {4, "COMPUTE"}, {7, "BOOTUP DEFAULT"}};
  if (smi.collect) return;
  smi.spacer(" Show Power Profiles ");
  for (std::size_t gpu : smi.gpus) {
    int number = 0;
    for (const auto& [bit, name] : kProfiles)
      smi.log(gpu, fmt::format("{}. Available power profile (#{} of 7)", ++number, bit),
              std::string(name) + (smi.host.gpu(gpu, "profile") == name ? "*" : ""));
  }
  smi.spacer();
}

void process_table(RocmSmi& smi, const Given& given) {
  smi.spacer(" KFD Processes ");
  const bool details = !given.values.empty() && given.values.front() == "details";
  std::vector<std::vector<std::string>> rows{
      {"PID", "PROCESS NAME", details ? "GPU" : "GPU(s)", "VRAM USED", "SDMA USED", "CU OCCUPANCY"}};
  for (const Process& process : processes(smi.host))
    rows.push_back({std::to_string(process.pid), process.name, details ? std::to_string(process.gpu) : "1",
                    std::to_string(process.vram), std::to_string(process.sdma),
                    std::to_string(process.compute_units)});
  if (rows.size() == 1) {
    smi.line("No KFD PIDs currently running");
    smi.spacer();
    return;
  }
  smi.line("KFD process information:");
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (smi.collect) {
      if (r > 0)
        smi.log_system("PID" + rows[r][0], lower_ascii(join({rows[r].begin() + 1, rows[r].end()}, ", ")));
      continue;
    }
    std::string text;
    for (std::size_t i = 0; i < rows[r].size(); ++i) text += fmt::format("{:<{}}\t", rows[r][i], widths[i]);
    smi.line(text);
  }
  smi.spacer();
}

void gpus_of_processes(RocmSmi& smi, const Given& given) {
  smi.spacer(" GPUs Indexed by PID ");
  bool any = false;
  for (const Process& process : processes(smi.host)) {
    if (!given.values.empty() && std::find(given.values.begin(), given.values.end(),
                                           std::to_string(process.pid)) == given.values.end())
      continue;
    any = true;
    smi.line(fmt::format("PID {} is using 1 DRM device(s):\n{} ", process.pid, process.gpu));
  }
  if (!any) smi.line("No KFD PIDs currently running");
  smi.spacer();
}

void memory_info(RocmSmi& smi, const Given& given) {
  std::vector<std::string> types = given.values;
  if (std::find(types.begin(), types.end(), "all") != types.end()) types = {"vram", "vis_vram", "gtt"};
  smi.spacer(" Memory Usage (Bytes) ");
  for (std::size_t gpu : smi.gpus)
    for (const std::string& type : types) {
      if (!field(smi.host, gpu, lower_ascii(type) + ".total"))
        smi.warn("ERROR", fmt::format("GPU[{}]\t: Invalid memory type {}", gpu, safe(upper(type))));
      smi.log(gpu, safe(upper(type)) + " Total Memory (B)",
              field(smi.host, gpu, lower_ascii(type) + ".total").value_or("None"));
      smi.log(gpu, safe(upper(type)) + " Total Used Memory (B)",
              field(smi.host, gpu, lower_ascii(type) + ".used").value_or("None"));
    }
  smi.spacer();
}

void ras_info(RocmSmi& smi, const Given& given) {
  std::vector<std::string> blocks;
  for (const std::string& word : given.values) {
    const std::string name = upper(word);
    if (word == "all") {
      blocks.clear();
      break;
    }
    if (std::find(std::begin(kRasBlocks), std::end(kRasBlocks), name) == std::end(kRasBlocks))
      smi.warn("ERROR", fmt::format("GPU[None]\t: {} is not a RAS block", safe(word)));
    else
      blocks.push_back(name);
  }
  if (blocks.empty()) blocks.assign(std::begin(kRasBlocks), std::end(kRasBlocks));
  smi.spacer(" RAS Info ");
  for (std::size_t gpu : smi.gpus) {
    smi.line(fmt::format("\nGPU[{}]: \tRAS INFO", gpu));
    smi.line("         Block       Status    Correctable Error  Uncorrectable Error  ");
    for (const std::string& block : blocks) {
      const bool enabled =
          std::find(std::begin(kEnabledBlocks), std::end(kEnabledBlocks), block) != std::end(kEnabledBlocks);
      const std::string text = fmt::format("{:>14}  {:>13}  ", block, enabled ? "ENABLED" : "DISABLED");
      if (!enabled)
        smi.line(text);
      else
        smi.line(text + fmt::format("{:>17}  {:>19}  ",
                                    block == "UMC" ? fill(smi.host, gpu, "{ecc.ce}") : "0",
                                    block == "UMC" ? fill(smi.host, gpu, "{ecc.ue}") : "0"));
    }
    smi.spacer({}, '_');
  }
  smi.spacer();
}

void firmware(RocmSmi& smi, const Given& given) {
  smi.spacer(" Firmware Information ");
  const Json* list = smi.host.json("firmware");
  const bool all = given.values.empty() ||
                   std::find(given.values.begin(), given.values.end(), "all") != given.values.end();
  for (std::size_t gpu : smi.gpus)
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const std::string block = (*list)[i][0].get<std::string>(), version = (*list)[i][1].get<std::string>();
      if (!all && std::none_of(given.values.begin(), given.values.end(),
                               [&](const std::string& word) { return upper(word) == block; }))
        continue;
      smi.log(gpu, block + " firmware version", (block.size() == 2 ? "\t\t" : "\t") + version);
    }
  smi.spacer();
}

}  // namespace

void show_layout(RocmSmi& smi, std::string_view option) {
  const std::vector<LayoutLine>& lines = smi.host.profile().catalog->layout("rocm-smi");
  auto line = std::find_if(lines.begin(), lines.end(),
                           [&](const LayoutLine& other) { return other.depth == 0 && other.tag == option; });
  if (line == lines.end()) return;
  const LayoutLine& heading = *line;
  smi.spacer(heading.section == "bare" ? heading.label : " " + heading.label + " ");
  const auto last =
      std::find_if(line + 1, lines.end(), [](const LayoutLine& other) { return other.depth == 0; });
  for (std::size_t gpu : smi.gpus)
    for (auto row = line + 1; row != last; ++row) {
      if (!holds(smi.host, gpu, row->condition)) continue;
      const std::string label = fill(smi.host, gpu, row->label);
      const std::size_t tabs = std::min(row->value.find_first_not_of('>'), row->value.size());
      if (row->tag == "warn")
        smi.warn("WARNING", fmt::format("GPU[{}]\t: {}", gpu, label));
      else if (row->value.empty())
        smi.log(gpu, label);
      else
        smi.log(gpu, label,
                std::string(tabs, '\t') + fill(smi.host, gpu, std::string_view(row->value).substr(tabs)));
    }
  if (heading.section != "open") smi.spacer();
}

const std::vector<Section>& show_sections() {
  static const std::vector<Section> kSections = {
      {"--showhw", concise_hardware},
      {"--showdriverversion", driver_version},
      {"--showtempgraph", temperature_graph},
      {"-i", nullptr},
      {"--showuniqueid", nullptr},
      {"-v", nullptr},
      {"-e", events},
      {"-t", nullptr},
      {"-c", current_clocks},
      {"-g", gpu_clock},
      {"-f", nullptr},
      {"-p", nullptr},
      {"-o", nullptr},
      {"-m", nullptr},
      {"-M", nullptr},
      {"-l", profiles},
      {"-P", nullptr},
      {"-s", supported_clocks},
      {"-u", nullptr},
      {"--showmemuse", nullptr},
      {"--showmemvendor", nullptr},
      {"-b", nullptr},
      {"--showreplaycount", nullptr},
      {"--showserial", nullptr},
      {"--showpids", process_table},
      {"--showpidgpus", gpus_of_processes},
      {"-S", nullptr},
      {"--showvoltage", nullptr},
      {"--showbus", nullptr},
      {"--showmeminfo", memory_info},
      {"--showrasinfo", ras_info},
      {"--showfwinfo", firmware},
      {"--showproductname", nullptr},
      {"--showxgmierr", nullptr},
      {"--shownodesbw", show_nodes_bandwidth},
      {"--showtopo", show_topology},
      {"--showtopoaccess", show_topology},
      {"--showtopoweight", show_topology},
      {"--showtopohops", show_topology},
      {"--showtopotype", show_topology},
      {"--showtoponuma", nullptr},
      {"--showpagesinfo", nullptr},
      {"--showretiredpages", nullptr},
      {"--showpendingpages", nullptr},
      {"--showunreservablepages", nullptr},
      {"--showsclkrange", nullptr},
      {"--showmclkrange", nullptr},
      {"--showvoltagerange", nullptr},
      {"--showvc", nullptr},
      {"--showenergycounter", nullptr},
      {"--showcomputepartition", nullptr},
      {"--showmemorypartition", nullptr},
      {"--showmetrics", nullptr},
  };
  return kSections;
}

}  // namespace micius::emu::amd
