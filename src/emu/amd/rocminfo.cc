// rocminfo: the agents of the HSA runtime, CPUs first.
#include <charconv>

#include "base/text.h"
#include "emu/amd/rocm_tools.h"
#include "emu/amd/values.h"

namespace micius::emu {
namespace {

using Values = std::vector<std::pair<std::string_view, std::string>>;

std::string with_hex(std::int64_t number) { return fmt::format("{0}(0x{0:x})", number); }

std::int64_t hex_number(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return number;
}

void print_agent(Host& host, int number, std::string_view kind, std::size_t gpu, const Values& values) {
  host.print("*******                  \nAgent {:<19}\n*******                  \n", number);
  const std::vector<LayoutLine>& lines = host.profile().catalog->layout("rocminfo");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const LayoutLine& line = lines[i];
    if (line.tag != kind) continue;
    const std::string indent(2 * line.depth + 2, ' ');
    const bool heading = line.value.empty();
    if (heading && line.label.find(' ') != std::string::npos && line.depth > 0 && line.label[0] != 'W' &&
        line.label[0] != 'G') {
      host.print("{}{:<25}\n", indent, line.label);  // "Pool 1", "ISA 1"
      continue;
    }
    if (heading) {
      host.print("{}{}:{}\n", indent, line.label,
                 std::string(line.label.size() < 23 ? 24 - line.label.size() : 0, ' '));
      continue;
    }
    std::string value = kind == "gpu" ? amd::fill(host, gpu, line.value) : line.value;
    for (const auto& [name, text] : values)
      value = replace_all(std::move(value), "<" + std::string(name) + ">", text);
    if (line.label.size() == 1)
      host.print("{}{:<25}{:<35}\n", indent, line.label, value);
    else
      host.print("{}{:<25}{:<35}\n", indent, line.label + ":", value);
  }
}

void cpu_agents(Host& host, int& number) {
  const Json* nodes = host.json("numa");
  std::int64_t cores = 0, threads = 0;
  const std::string each = host.fact_or("cpu.cores_per_socket", "1"),
                    ways = host.fact_or("cpu.threads_per_core", "1");
  std::from_chars(each.data(), each.data() + each.size(), cores);
  std::from_chars(ways.data(), ways.data() + ways.size(), threads);
  for (std::size_t node = 0; nodes != nullptr && node < nodes->size(); ++node)
    print_agent(host, ++number, "cpu", 0,
                {{"cpu", host.fact_or("cpu.model", "")},
                 {"node", std::to_string(node)},
                 {"threads", std::to_string(cores * threads)},
                 {"memory", with_hex(JsonFields((*nodes)[node], "numa").integer("size_mb") * 1024)}});
}

}  // namespace

int run_rocminfo(Host& host, const Args& args) {
  const ToolSpec& tool = host.tool("rocminfo");
  const Parsed parsed = parse_options(tool, Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone || parsed.has("-h")) {
    amd::print_help(host, tool, tool.root);
    return parsed.problem == Problem::kNone ? 0 : 1;
  }
  host.out(
      "ROCk module is loaded\n=====================    \nHSA System Attributes    \n=====================    "
      "\n"
      "Runtime Version:         1.14\nRuntime Ext Version:     1.6\nSystem Timestamp Freq.:  1000.000000MHz\n"
      "Sig. Max Wait Duration:  18446744073709551615 (0xFFFFFFFFFFFFFFFF) (timestamp count)\n"
      "Machine Model:           LARGE                              \n"
      "System Endianness:       LITTLE                             \n"
      "Mwaitx:                  DISABLED\nDMAbuf Support:          YES\n\n==========               \n"
      "HSA Agents               \n==========               \n");
  int number = 0;
  cpu_agents(host, number);
  const bool xnack = host.env("HSA_XNACK").value_or("0") == "1";
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu) {
    const std::string bus = amd::fill(host, gpu, "{bdf}");
    const std::string target = amd::fill(host, gpu, "{target}");
    print_agent(
        host, ++number, "gpu", gpu,
        {{"chip", with_hex(hex_number(amd::fill(host, gpu, "{device_id}").substr(2)))},
         {"bdfid", std::to_string(bus.size() >= 7 ? hex_number(std::string_view(bus).substr(5, 2)) << 8 : 0)},
         {"vram", with_hex(host.gpu_number(gpu, "vram.total") / 1024)},
         {"target", xnack ? replace_all(target, "xnack-", "xnack+") : target}});
  }
  host.out("*** Done ***             \n");
  return 0;
}

}  // namespace micius::emu
