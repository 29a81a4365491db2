// numactl: what the nodes are, and another program under a policy.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/node/node.h"
#include "emu/shim/shim.h"

namespace micius::emu {
namespace {

// "0-3,8" as numbers; absent for another text or more than 4,096 of them.
std::optional<std::vector<int>> read_list(std::string_view text) {
  std::vector<int> numbers;
  for (std::string_view part : split(text, ',')) {
    int first = 0, last = 0;
    const char* end = part.data() + part.size();
    auto [at, code] = std::from_chars(part.data(), end, first);
    if (code != std::errc()) return std::nullopt;
    last = first;
    if (at != end) {
      if (*at != '-') return std::nullopt;
      const auto [stop, second] = std::from_chars(at + 1, end, last);
      if (second != std::errc() || stop != end) return std::nullopt;
    }
    if (first < 0 || last < first || last - first > 4'096 || numbers.size() > 4'096) return std::nullopt;
    for (int number = first; number <= last; ++number) numbers.push_back(number);
  }
  return numbers;
}

std::string joined(const std::vector<int>& numbers) {
  std::string text;
  for (int number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

std::size_t node_count(const Host& host) {
  const Json* nodes = host.json("numa");
  return nodes == nullptr ? 1 : nodes->size();
}

std::string all_cpus(const Host& host) {
  std::vector<int> cpus;
  for (std::size_t node = 0; node < node_count(host); ++node)
    for (int cpu :
         read_list(host.fact_or(fmt::format("numa.{}.cpus", node), "0")).value_or(std::vector<int>{}))
      cpus.push_back(cpu);
  std::sort(cpus.begin(), cpus.end());
  return joined(cpus);
}

int hardware(Host& host) {
  const std::size_t nodes = node_count(host);
  host.print("available: {} nodes (0{})\n", nodes, nodes > 1 ? "-" + std::to_string(nodes - 1) : "");
  for (std::size_t node = 0; node < nodes; ++node) {
    host.print(
        "node {} cpus: {}\n", node,
        joined(read_list(host.fact_or(fmt::format("numa.{}.cpus", node), "0")).value_or(std::vector<int>{})));
    host.print("node {0} size: {1} MB\nnode {0} free: {2} MB\n", node,
               host.fact_or(fmt::format("numa.{}.size_mb", node), "0"),
               host.fact_or(fmt::format("numa.{}.free_mb", node), "0"));
  }
  host.out("node distances:\nnode ");
  for (std::size_t node = 0; node < nodes; ++node) host.print("{:>3} ", node);
  host.out("\n");
  for (std::size_t row = 0; row < nodes; ++row) {
    host.print("{:>3}: ", row);
    for (std::size_t column = 0; column < nodes; ++column) host.print("{:>3} ", row == column ? 10 : 21);
    host.out("\n");
  }
  return 0;
}

int show(Host& host) {
  std::vector<int> nodes;
  for (std::size_t node = 0; node < node_count(host); ++node) nodes.push_back(static_cast<int>(node));
  host.print(
      "policy: default\npreferred node: current\nphyscpubind: {}\ncpubind: {}\nnodebind: {}\nmembind: {}\n",
      all_cpus(host), joined(nodes), joined(nodes), joined(nodes));
  return 0;
}

bool takes_nodes(const std::string& option) {
  return option == "--interleave" || option == "--preferred" || option == "--preferred-many" ||
         option == "--cpubind" || option == "--cpunodebind" || option == "--membind" ||
         option == "--weighted-interleave";
}

}  // namespace

int run_numactl(Host& host, const Args& args) {
  const Parsed parsed = parse_options(host.tool("numactl"), Engine::kWrapper, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) return gnu_problem(host, "numactl", parsed);
  if (parsed.has("--version")) {
    host.out("2.0.14\n");
    return 0;
  }
  if (parsed.has("--hardware")) return hardware(host);
  std::vector<std::string> policy;
  for (const Given& given : parsed.options) {
    const std::string& name = given.option->name;
    const std::string value = given.values.empty() ? "" : given.values.front();
    if (takes_nodes(name) && value != "all") {
      const auto nodes = read_list(value[0] == '+' || value[0] == '!' ? std::string_view(value).substr(1)
                                                                      : std::string_view(value));
      if (!nodes || std::any_of(nodes->begin(), nodes->end(),
                                [&](int node) { return node >= static_cast<int>(node_count(host)); })) {
        host.print_error(
            "libnuma: Warning: node argument {} is out of range\n\n<{}> is invalid\nusage: numactl [options] "
            "command\n",
            shorten(to_valid_utf8(value), 60), shorten(to_valid_utf8(value), 60));
        return 1;
      }
    }
    if (name == "--physcpubind" && value != "all" &&
        !read_list(value[0] == '+' ? std::string_view(value).substr(1) : std::string_view(value))) {
      host.print_error("libnuma: Warning: cpu argument {} is out of range\n",
                       shorten(to_valid_utf8(value), 60));
      return 1;
    }
    if (name != "--show") policy.push_back(name.substr(2) + (value.empty() ? "" : "=" + value));
  }
  if (parsed.has("--show") || (parsed.words.empty() && !policy.empty())) return show(host);
  if (parsed.words.empty()) {
    host.error("usage: numactl [options] command args...\n");
    return 1;
  }
  std::sort(policy.begin(), policy.end());
  return host.run(parsed.words, {{{"EMU_NUMA_POLICY", join(policy, " ")}}, false});
}

}  // namespace micius::emu
