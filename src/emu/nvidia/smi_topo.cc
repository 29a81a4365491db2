// nvidia-smi topo: the connection matrix and questions about it.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/nvidia/smi_internal.h"

namespace micius::emu::smi {
namespace {

std::string link(const Host& host, const char* matrix, std::size_t from, std::size_t to) {
  const Json* links = host.json(matrix);
  if (links == nullptr || from >= links->size() || to >= (*links)[from].size()) return "SYS";
  return (*links)[from][to].get<std::string>();
}

std::size_t nic_count(const Host& host) {
  const Json* nics = host.json("nics");
  return nics == nullptr ? 0 : nics->size();
}

std::string numa_of(const Host& host, std::size_t gpu) { return host.gpu(gpu, "numa").value_or("0"); }

std::string cpus_of(const Host& host, const std::string& node) {
  return host.fact_or("numa." + node + ".cpus", "0");
}

void legend(Host& host) {
  host.out(
      "\nLegend:\n\n  X    = Self\n"
      "  SYS  = Connection traversing PCIe as well as the SMP interconnect between NUMA nodes (e.g., "
      "QPI/UPI)\n"
      "  NODE = Connection traversing PCIe as well as the interconnect between PCIe Host Bridges within a "
      "NUMA node\n"
      "  PHB  = Connection traversing PCIe as well as a PCIe Host Bridge (typically the CPU)\n"
      "  PXB  = Connection traversing multiple PCIe bridges (without traversing the PCIe Host Bridge)\n"
      "  PIX  = Connection traversing at most a single PCIe bridge\n");
}

int matrix(const Command& command, const char* name) {
  Host& host = command.host;
  const std::size_t gpus = host.gpu_count(), nics = nic_count(host);
  host.out("\t\x1b[4m");
  for (std::size_t i = 0; i < gpus; ++i) host.print("GPU{}\t", i);
  for (std::size_t i = 0; i < nics; ++i) host.print("NIC{}\t", i);
  host.out("CPU Affinity\tNUMA Affinity\tGPU NUMA ID\x1b[0m\n");
  for (std::size_t row = 0; row < gpus + nics; ++row) {
    host.print("{}{}\t", row < gpus ? "GPU" : "NIC", row < gpus ? row : row - gpus);
    for (std::size_t column = 0; column < gpus + nics; ++column) {
      const std::string text = link(host, name, row, column);
      host.print("{}\t", text == "X" ? " X " : text);
    }
    if (row < gpus) {
      const std::string node = numa_of(host, row);
      host.print("{}\t{}\t\tN/A\n", cpus_of(host, node), node);
    } else {
      host.out("\t\t\t\t\n");
    }
  }
  legend(host);
  if (std::string_view(name) == "links")
    host.out("  NV#  = Connection traversing a bonded set of # NVLinks\n");
  if (nics == 0) return kOk;
  host.out("\nNIC Legend:\n\n");
  for (std::size_t i = 0; i < nics; ++i)
    host.print("  NIC{}: {}\n", i, host.fact_or(fmt::format("nics.{}.name", i), ""));
  host.out("\n");
  return kOk;
}

int p2p(const Command& command, const std::string& caps) {
  Host& host = command.host;
  if (caps.empty() || caps.find_first_not_of("rwnap") != std::string::npos) return invalid(host);
  const bool nvlink = host.gpu_number(0, "nvlink.count") > 0;
  const auto status = [&](std::size_t from, std::size_t to) -> std::string {
    if (from == to) return "X";
    if (mig_enabled(host, from) || mig_enabled(host, to)) return "NS";
    const bool direct = link(host, "links", from, to).rfind("NV", 0) == 0;
    for (char cap : caps)
      if (((cap == 'n' || cap == 'a') && !direct) || cap == 'p' || (!direct && nvlink && cap != 'p'))
        return "NS";
    return "OK";
  };
  host.out(" ");
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu) host.print("\tGPU{}", gpu);
  host.out("\t\n");
  for (std::size_t row = 0; row < host.gpu_count(); ++row) {
    host.print(" GPU{}", row);
    for (std::size_t column = 0; column < host.gpu_count(); ++column) host.print("\t{}", status(row, column));
    host.out("\t\n");
  }
  host.out(
      "\nLegend:\n\n  X    = Self\n  OK   = Status Ok\n  CNS  = Chipset not supported\n"
      "  GNS  = GPU not supported\n  TNS  = Topology not supported\n  NS   = Not supported\n  U    = "
      "Unknown\n");
  return kOk;
}

// The traversal level of a path, as -n counts them.
int level_of(const std::string& path) {
  static constexpr std::string_view kLevels[] = {"X", "PIX", "PXB", "PHB", "NODE", "SYS"};
  const auto* found = std::find(std::begin(kLevels), std::end(kLevels), path);
  return static_cast<int>(found - std::begin(kLevels));
}

constexpr const char* kPaths[] = {"an internal PCIe bridge",
                                  "a single PCIe switch",
                                  "multiple PCIe switches",
                                  "a PCIe host bridge",
                                  "an on-socket link between PCIe host bridges",
                                  "an SMP interconnect link between NUMA nodes"};

int nearest(const Command& command, const std::string& text) {
  Host& host = command.host;
  if (text.size() != 1 || text[0] < '0' || text[0] > '5' || command.gpus.size() != 1) return invalid(host);
  std::vector<std::string> near;
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu)
    if (gpu != command.gpus[0] && level_of(link(host, "links_pci", command.gpus[0], gpu)) == text[0] - '0')
      near.push_back(std::to_string(gpu));
  host.print("The GPUs that are connected to GPU{} by way of {} are:\n\t{}\n", command.gpus[0],
             kPaths[text[0] - '0'], near.empty() ? "None" : join(near, ", "));
  return kOk;
}

int path(const Command& command) {
  if (command.gpus.size() != 2 || !command.parsed.has("-i")) return invalid(command.host);
  const int level = level_of(link(command.host, "links_pci", command.gpus[0], command.gpus[1]));
  command.host.print("Device {} is connected to device {} by way of {}.\n", command.gpus[0], command.gpus[1],
                     kPaths[std::min(level, 5)]);
  return kOk;
}

// Is `cpu` in a list such as "0-55,112-167"?
bool in_list(std::string_view list, int cpu) {
  for (std::string_view part : split(list, ',')) {
    int first = 0, last = 0;
    const char* end = part.data() + part.size();
    auto [at, code] = std::from_chars(part.data(), end, first);
    last = first;
    if (code == std::errc() && at != end && *at == '-') std::from_chars(at + 1, end, last);
    if (cpu >= first && cpu <= last) return true;
  }
  return false;
}

int of_cpu(const Command& command, const std::string& text) {
  Host& host = command.host;
  int cpu = -1;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), cpu);
  if (code != std::errc() || end != text.data() + text.size() || cpu < 0) return invalid(host);
  std::vector<std::string> gpus;
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu)
    if (in_list(cpus_of(host, numa_of(host, gpu)), cpu)) gpus.push_back(std::to_string(gpu));
  host.print("The GPUs that have an affinity with CPU {} are:\n\t{}\n", cpu,
             gpus.empty() ? "None" : join(gpus, ", "));
  return kOk;
}

}  // namespace

int topo(const Command& command) {
  Host& host = command.host;
  const Parsed& parsed = command.parsed;
  if (parsed.has("-m")) return matrix(command, "links");
  if (parsed.has("-mp")) return matrix(command, "links_pci");
  if (const auto caps = parsed.value("-p2p")) return p2p(command, *caps);
  if (const auto level = parsed.value("-n")) return nearest(command, *level);
  if (parsed.has("-p")) return path(command);
  if (const auto cpu = parsed.value("-c")) return of_cpu(command, *cpu);
  const bool cpu = parsed.has("-C"), memory = parsed.has("-M");
  if (cpu || memory) {
    for (std::size_t gpu : command.gpus)
      host.print("NUMA IDs of closest {}: {}\n", cpu ? "CPU" : "memory", numa_of(host, gpu));
    return kOk;
  }
  if (parsed.has("-gnid")) {
    for (std::size_t i = 0; i < command.gpus.size(); ++i) host.out("GPU NUMA ID: N/A\n");
    return kOk;
  }
  return invalid(host);
}

}  // namespace micius::emu::smi
