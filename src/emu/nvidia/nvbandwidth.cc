// nvbandwidth and nvidia-settings.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/nvidia/tools.h"
#include "emu/nvidia/values.h"

namespace micius::emu {
namespace {

struct Ends {
  bool devices;  // else the host and a device
  bool both;     // directions at the same time
};

// GB/s between two ends: the link's width by generation of PCIe or the number of NVLinks.
double link_bandwidth(const Host& host, Ends ends) {
  const std::int64_t generation = host.gpu_number(0, "pcie.link.gen.max"),
                     links = host.gpu_number(0, "nvlink.count");
  const double pcie = generation >= 5 ? 55.4 : generation == 4 ? 26.2 : 12.6;
  double base = ends.devices && links > 0 ? 21.6 * static_cast<double>(links) : pcie;
  if (host.gpu_count() < 2 && ends.devices) base = 0;
  return ends.both ? base * 1.86 : base;
}

void matrix(Host& host, Ends ends, Json& json) {
  const std::size_t count = host.gpu_count();
  host.out("           ");
  for (std::size_t column = 0; column < count; ++column)
    host.print("{}{}", column, column + 1 < count ? "         " : "\n");
  double sum = 0;
  Json rows = Json::array();
  for (std::size_t row = 0; row < (ends.devices ? count : 1); ++row) {
    host.print("{:>2} ", row);
    for (std::size_t column = 0; column < count; ++column) {
      const double value = link_bandwidth(host, ends) + 0.07 * static_cast<double>((3 * row + column) % 5);
      if (ends.devices && row == column) {
        host.print("{:>10}", "N/A");
        continue;
      }
      host.print("{:>10.2f}", value);
      rows.push_back(fmt::format("{:.2f}", value));
      sum += value;
    }
    host.out("\n");
  }
  json["bandwidth_matrix"] = rows;
  json["sum"] = fmt::format("{:.2f}", sum);
}

void run_case(Host& host, const std::string& name, Json& list) {
  const bool devices = name.rfind("device_to_device", 0) == 0 || name.rfind("all_to_one", 0) == 0 ||
                       name.rfind("one_to_all", 0) == 0;
  const bool both = name.find("bidirectional") != std::string::npos,
             latency = name.find("latency") != std::string::npos;
  Json json = {{"name", name}, {"status", "Passed"}};
  host.print("Running {}.\n", name);
  if (devices && host.gpu_count() < 2) {
    host.print("Waived: {}\n\n", name);
    json["status"] = "Waived";
    list.push_back(json);
    return;
  }
  const char* engine = name.substr(name.size() - 2) == "sm" ? "SM" : "CE";
  const bool from_device = name.rfind("device_to_host", 0) == 0 ||
                           name.find("_to_host") != std::string::npos ||
                           name.find("read") != std::string::npos;
  if (latency)
    host.print("memory latency {} {}(row) <-> GPU(column) (ns)\n", engine, devices ? "GPU" : "CPU");
  else
    host.print("memcpy {} {}(row) {} GPU(column) bandwidth (GB/s)\n", engine, devices ? "GPU" : "CPU",
               both          ? "<->"
               : from_device ? "<-"
                             : "->");
  matrix(host, {devices, both}, json);
  host.print("\nSUM {} {}\n\n", name, json["sum"].get<std::string>());
  list.push_back(json);
}

}  // namespace

int run_nvbandwidth(Host& host, const Args& args) {
  const ToolSpec& tool = host.tool("nvbandwidth");
  const Parsed parsed = parse_options(tool, Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) {
    host.print_error("ERROR: unrecognised option '{}'\n", shorten(to_valid_utf8(parsed.culprit), 200));
    return 1;
  }
  const Json& cases = tool.facts["testcases"];
  host.print("nvbandwidth Version: v{0}\nBuilt from Git version: v{0}\n\n",
             host.fact_or("packages.nvbandwidth", ""));
  if (parsed.has("-h")) {
    for (const OptionSpec& option : tool.root.options)
      host.print("  {:<34} {}\n", join(option.flags, " [ ") + (option.flags.size() > 1 ? " ]" : ""),
                 option.help);
    return 0;
  }
  if (parsed.has("-l")) {
    host.out("Index, Name:\n\tDescription\n=======================\n");
    for (std::size_t i = 0; i < cases.size(); ++i) host.print("{}, {}\n", i, cases[i].get<std::string>());
    return 0;
  }
  std::vector<std::string> names;
  for (const Given& given : parsed.options) {
    const bool prefix = given.option->name == "-p";
    if (given.option->name != "-t" && !prefix) continue;
    const std::size_t before = names.size();
    for (std::string_view word : split(given.values.front(), ','))
      for (std::size_t i = 0; i < cases.size(); ++i) {
        const std::string name = cases[i];
        if (prefix ? name.rfind(word, 0) == 0 : (word == name || word == std::to_string(i)))
          names.push_back(name);
      }
    if (names.size() == before) {
      host.print_error("ERROR: Testcase {} not found!\n", shorten(to_valid_utf8(given.values.front()), 100));
      return 1;
    }
  }
  if (names.empty())
    for (const Json& name : cases) names.push_back(name);
  if (names.size() > 200) names.resize(200);
  host.print("CUDA Runtime Version: 13000\nCUDA Driver Version: 13010\nDriver Version: {}\n\n",
             host.fact_or("driver", ""));
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu)
    host.print("Device {}: {} ({})\n", gpu, gpu_name(host), lower_ascii(bus_id(host, gpu)).substr(0, 14));
  host.print("\n{}", parsed.has("-m") ? "Using the mean of the samples\n" : "");
  if (parsed.has("-b"))
    host.print("Buffer size: {} MiB\n", shorten(to_valid_utf8(parsed.value_or("-b", "512")), 20));
  if (parsed.has("-i")) host.print("Samples: {}\n", shorten(to_valid_utf8(parsed.value_or("-i", "3")), 20));
  const std::size_t from = host.output_size();
  Json list = Json::array();
  for (const std::string& name : names) run_case(host, name, list);
  if (parsed.has("-j")) {
    host.take_output(from);
    host.out(Json{{"nvbandwidth", {{"testcases", list}}}}.dump(4) + "\n");
    return 0;
  }
  host.out("NOTE: The reported results may not reflect the full capabilities of the platform.\n");
  return 0;
}

int run_nvidia_settings(Host& host, const Args& args) {
  const Parsed parsed =
      parse_options(host.tool("nvidia-settings"), Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) {
    host.print_error("ERROR: Error parsing command line: unrecognized option: \"{}\".\n",
                     shorten(to_valid_utf8(parsed.culprit), 200));
    return 1;
  }
  if (parsed.has("-v")) {
    host.print("nvidia-settings:  version {}\n", host.fact_or("driver", ""));
    return 0;
  }
  if (parsed.has("-h")) {
    for (const OptionSpec& option : parsed.command->options)
      host.print("  {:<34} {}\n", join(option.flags, ", "), option.help);
    return 0;
  }
  host.error(
      "ERROR: The control display is undefined; please run `nvidia-settings --help` for usage "
      "information.\n");
  return 1;
}

}  // namespace micius::emu
