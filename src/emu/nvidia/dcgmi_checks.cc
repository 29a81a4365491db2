// dcgmi health and diag.
#include <algorithm>

#include "base/text.h"
#include "emu/nvidia/dcgmi_internal.h"
#include "emu/nvidia/values.h"

namespace micius::emu::dcgm {

int health(const Command& command) {
  Host& host = command.host;
  const auto gpus = chosen(command, "-g", "");
  if (!gpus) return 1;
  if (const auto systems = command.parsed.value("-s")) {
    if (systems->find_first_not_of("apmtn") != std::string::npos)
      return error(host, "Bad parameter passed to function.");
    host.set_value("dcgm.health", *systems);
    host.out("Health monitor systems set successfully.\n");
    return 0;
  }
  if (command.parsed.has("--clear")) {
    host.set_value("dcgm.health", std::nullopt);
    host.out("Health monitor systems cleared successfully.\n");
    return 0;
  }
  std::vector<std::size_t> bad;
  for (std::size_t gpu : *gpus)
    if (host.gpu_number(gpu, "ecc.errors.uncorrected.aggregate.total") > 0 ||
        host.gpu_number(gpu, "retired_pages.double_bit.count") > 0)
      bad.push_back(gpu);
  if (command.parsed.has("-j")) {
    Json json = {{"body", {{"Overall Health", {{"value", bad.empty() ? "Healthy" : "Warning"}}}}},
                 {"header", {"Health Monitor Report"}}};
    host.out(json.dump(4) + "\n");
    return 0;
  }
  host.print("{}| {:<84} |\n{}", kTwoColumns, "Health Monitor Report", replace_all(kTwoColumns, "-", "="));
  if (command.parsed.has("-f")) {
    const std::string on = host.value("dcgm.health").value_or("");
    for (const auto& [name, letter] : {std::pair{"PCIe", 'p'}, std::pair{"NVLINK", 'n'},
                                       std::pair{"Memory", 'm'}, std::pair{"Thermal", 't'}})
      row(host, name,
          on.find(letter) != std::string::npos || on.find('a') != std::string::npos ? "On" : "Off");
  } else {
    row(host, "Overall Health", bad.empty() ? "Healthy" : "Warning");
    for (std::size_t gpu : bad) {
      row(host, "GPU", "");
      row(host, fmt::format("-> {}", gpu), "Warning");
      row(host, "   -> Errors", "Memory system: Warning");
      row(host, "", "Detected retired or remapped memory.");
    }
  }
  host.out(kTwoColumns);
  return 0;
}

namespace {

struct Category {
  std::string name;
  std::vector<std::pair<std::string, std::string>> tests;  // with their results
};

// The tests of a level, or those that -r names.
std::vector<Category> categories_of(const std::string& level, std::int64_t depth, const char* persistence) {
  if (depth == 0) {
    Category chosen_ones{"Selected", {}};
    for (std::string_view name : split(level, ','))
      if (chosen_ones.tests.size() < 32)
        chosen_ones.tests.emplace_back(shorten(to_valid_utf8(name), 24), "Pass - All");
    return {chosen_ones};
  }
  std::vector<Category> list = {{"Deployment",
                                 {{"Denylist", "Pass"},
                                  {"NVML Library", "Pass"},
                                  {"CUDA Main Library", "Pass"},
                                  {"Permissions and OS Blocks", "Pass"},
                                  {"Persistence Mode", persistence},
                                  {"Environment Variables", "Pass"},
                                  {"Page Retirement/Row Remap", "Pass"},
                                  {"Graphics Processes", "Pass"},
                                  {"Inforom", "Pass"}}}};
  if (depth == 1) return list;
  list.push_back({"Integration", {{"PCIe", "Pass - All"}}});
  list.push_back({"Hardware", {{"GPU Memory", "Pass - All"}}});
  list.push_back({"Stress", {}});
  if (depth >= 3) {
    list[2].tests.emplace_back("Diagnostic", "Pass - All");
    for (const char* name : {"Targeted Stress", "Targeted Power", "Memory Bandwidth"})
      list[3].tests.emplace_back(name, "Pass - All");
  }
  if (depth >= 4) list[3].tests.emplace_back("EUD Test", "Skip - All");
  return list;
}

void print_json(Host& host, const std::vector<Category>& categories) {
  Json all = Json::array();
  for (const Category& category : categories) {
    Json list = Json::array();
    for (const auto& [name, result] : category.tests)
      list.push_back({{"name", name}, {"results", {{{"status", result.substr(0, 4)}}}}});
    all.push_back({{"category", category.name}, {"tests", list}});
  }
  const Json diagnostic = {{"test_categories", all}, {"version", host.fact_or("packages.dcgm", "")}};
  host.out(Json{{"DCGM Diagnostic", diagnostic}}.dump(2) + "\n");
}

void print_table(Host& host, const std::vector<Category>& categories, const std::string& ids) {
  const std::string rule = "+---------------------------+------------------------------------------------+\n";
  const auto line = [&](std::string_view left, std::string_view right) {
    host.print("| {:<25} | {:<46} |\n", left, right);
  };
  host.print("Successfully ran diagnostic for group.\n{}", rule);
  line("Diagnostic", "Result");
  host.out(replace_all(rule, "-", "="));
  host.print("|-----  Metadata  ----------+------------------------------------------------|\n");
  line("DCGM Version", host.fact_or("packages.dcgm", ""));
  line("Driver Version Detected", host.fact_or("driver", ""));
  line("GPU Device IDs Detected", shorten(ids, 46));
  for (const Category& category : categories) {
    host.print("{0}{1:-<27}+------------------------------------------------{0}\n",
               category.name == "Deployment" ? "|" : "+", fmt::format("-----  {}  ", category.name));
    for (const auto& [name, result] : category.tests) line(name, result);
  }
  host.out(rule);
}

}  // namespace

int diag(const Command& command) {
  Host& host = command.host;
  const std::string level = command.parsed.value_or("-r", "");
  const bool by_name = level.find_first_not_of("0123456789") != std::string::npos;
  const std::int64_t depth = by_name ? 0 : number(level).value_or(0);
  if (level.empty() || (!by_name && (depth < 1 || depth > 4)))
    return error(host, "Bad parameter passed to function. Unable to run diagnostic.");
  const auto gpus = chosen(command, "-g", "-i");
  if (!gpus) return 1;
  const bool persistence = std::all_of(gpus->begin(), gpus->end(), [&](std::size_t gpu) {
    return host.gpu(gpu, "persistence_mode") == "Enabled";
  });
  const std::vector<Category> categories = categories_of(level, depth, persistence ? "Pass" : "Fail");
  host.advance((1 + depth * depth) * 30'000'000'000);
  if (command.parsed.has("-j")) {
    print_json(host, categories);
  } else {
    const std::string id = lower_ascii(host.gpu(0, "pci.device_id").value_or("0x0000").substr(2, 4));
    print_table(host, categories, join(std::vector<std::string>(gpus->size(), id), ","));
  }
  return persistence ? 0 : 226;
}

}  // namespace micius::emu::dcgm
