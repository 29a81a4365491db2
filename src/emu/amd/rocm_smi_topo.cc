// The tables of rocm-smi: concise information, hardware, and what joins the GPUs.
#include <algorithm>
#include <functional>

#include "base/text.h"
#include "emu/amd/rocm_smi_internal.h"

namespace micius::emu::amd {
namespace {

using Row = std::vector<std::string>;

// Column widths in characters ("°" is one), two blanks between.
std::vector<std::size_t> widths_of(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], code_points(row[i]) + 2);
  return widths;
}

std::string padded(const Row& row, const std::vector<std::size_t>& widths) {
  std::string text;
  for (std::size_t i = 0; i < row.size(); ++i)
    text += row[i] + std::string(widths[i] - std::min(widths[i], code_points(row[i])), ' ');
  return text;
}

// A square table; `cell` may say "" for what the tool leaves to the diagonal.
void matrix(RocmSmi& smi, const std::function<std::string(std::size_t, std::size_t)>& cell) {
  std::string text = "       ";
  for (std::size_t gpu : smi.gpus) text += fmt::format("{:<12} ", fmt::format("GPU{}", gpu));
  smi.line(text);
  for (std::size_t from : smi.gpus) {
    text = fmt::format("{:<6} ", fmt::format("GPU{}", from));
    for (std::size_t to : smi.gpus) text += fmt::format("{:<12} ", cell(from, to));
    smi.line(text);
  }
}

struct Table {
  std::string_view option;
  const char *title, *json;
};
constexpr Table kTables[] = {
    {"--showtopoweight", " Weight between two GPUs ", "(Topology) Weight between DRM devices {} and {}"},
    {"--showtopohops", " Hops between two GPUs ", "(Topology) Hops between DRM devices {} and {}"},
    {"--showtopotype", " Link Type between two GPUs ", "(Topology) Link type between DRM devices {} and {}"},
    {"--showtopoaccess", " Link accessibility between two GPUs ",
     "(Topology) Link accessibility between DRM devices {} and {}"},
};

void one_table(RocmSmi& smi, const Table& table) {
  const auto cell = [&](std::size_t from, std::size_t to) -> std::string {
    const std::int64_t weight = link_weight(smi.host, from, to);
    if (table.option == "--showtopoaccess") return "True";
    if (from == to) return "0";
    if (table.option == "--showtopoweight") return std::to_string(weight);
    return table.option == "--showtopohops" ? std::to_string(link_hops(weight)) : "XGMI";
  };
  smi.spacer(table.title);
  if (!smi.collect) return matrix(smi, cell);
  for (std::size_t i = 0; i < smi.gpus.size(); ++i)
    for (std::size_t j = i + 1; j < smi.gpus.size(); ++j)
      smi.log_system(fmt::format(fmt::runtime(table.json), smi.gpus[i], smi.gpus[j]),
                     cell(smi.gpus[i], smi.gpus[j]));
}

}  // namespace

void show_topology(RocmSmi& smi, const Given& given) {
  if (given.option != nullptr && given.option->name != "--showtopo") {
    for (const Table& table : kTables)
      if (table.option == given.option->name) one_table(smi, table);
    return;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    one_table(smi, kTables[i]);
    smi.line("");
  }
  show_layout(smi, "--showtoponuma");
}

void show_nodes_bandwidth(RocmSmi& smi, const Given&) {
  smi.spacer(" Bandwidth ");
  if (smi.collect) return;
  matrix(smi, [&](std::size_t from, std::size_t to) -> std::string {
    if (from == to) return "N/A";
    return link_hops(link_weight(smi.host, from, to)) == 1 ? smi.host.fact_or("links.bandwidth", "") : "0-0";
  });
  smi.line("Format: min-max; Units: mps");
  smi.line("\"0-0\" min-max bandwidth indicates devices are not connected directly");
}

void concise(RocmSmi& smi) {
  if (smi.collect) {
    smi.host.out("NOT_SUPPORTED: Cannot print JSON/CSV output for concise output\n");
    smi.stop = 1;
    return;
  }
  std::vector<std::size_t> gpus = smi.gpus;
  std::sort(gpus.begin(), gpus.end());
  const bool edge = !gpus.empty() && field(smi.host, gpus[0], "temp.edge").has_value();
  std::vector<Row> rows{{"Device", "Node", "IDs", "", "Temp", "Power", "Partitions", "SCLK", "MCLK", "Fan",
                         "Perf", "PwrCap", "VRAM%", "GPU%"},
                        {"", "", "(DID,", "GUID)", edge ? "(Edge)" : "(Junction)",
                         gpus.empty() ? "" : fill(smi.host, gpus[0], "{power.label}"), "(Mem, Compute, ID)",
                         "", "", "", "", "", "", ""}};
  for (std::size_t gpu : gpus) {
    const auto text = [&](std::string_view form) { return fill(smi.host, gpu, form); };
    rows.push_back({std::to_string(gpu), text("{node_id}"), text("{device_id}, "), text("{guid}"),
                    text(edge ? "{temp.edge}°C" : "{temp.junction}°C"), text("{power}W"),
                    text("{memory_partition}, {compute_partition}, {partition_id}"), text("{clk.sclk}Mhz"),
                    text("{clk.mclk}Mhz"), text("{fan}%"), text("{perf_level}"), text("{power.cap}.0W"),
                    text("{vram_percent}%"), text("{use}%")});
  }
  const std::vector<std::size_t> widths = widths_of(rows);
  const std::size_t width = code_points(padded(rows[0], widths));
  smi.spacer(" ROCm System Management Interface ", '=', width);
  smi.spacer(" Concise Info ", '=', width);
  smi.line(padded(rows[0], widths));
  smi.line("\x1b[3m" + padded(rows[1], widths) + "\x1b[0m");
  smi.spacer({}, '=', width);
  for (std::size_t i = 2; i < rows.size(); ++i) smi.line(padded(rows[i], widths));
  smi.spacer({}, '=', width);
  smi.spacer(" End of ROCm SMI Log ", '=', width);
}

void concise_hardware(RocmSmi& smi, const Given&) {
  if (smi.collect) {
    smi.host.out("NOT_SUPPORTED: Cannot print JSON/CSV output for concise hardware output\n");
    smi.stop = 1;
    return;
  }
  std::vector<Row> rows{{"GPU", "NODE", "DID", "GUID", "GFX VER", "GFX RAS", "SDMA RAS", "UMC RAS", "VBIOS",
                         "BUS", "PARTITION ID"}};
  for (std::size_t gpu : smi.gpus) {
    const auto text = [&](std::string_view form) { return fill(smi.host, gpu, form); };
    rows.push_back({std::to_string(gpu), text("{node_id}"), text("{device_id}"), text("{guid}"),
                    text("{gfx}"), "ENABLED", "ENABLED", "ENABLED", text("{vbios}"), text("{bus_upper}"),
                    text("{partition_id}")});
  }
  const std::vector<std::size_t> widths = widths_of(rows);
  const std::size_t width = padded(rows[0], widths).size();
  smi.spacer(" ROCm System Management Interface ", '=', width);
  smi.spacer(" Concise Hardware Info ", '=', width);
  for (const Row& row : rows) smi.line(padded(row, widths));
  smi.spacer({}, '=', width);
  smi.spacer(" End of ROCm SMI Log ", '=', width);
}

}  // namespace micius::emu::amd
