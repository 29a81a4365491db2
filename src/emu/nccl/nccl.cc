// nccl-tests 2.19 as NVIDIA's.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "emu/nccl/perf.h"
#include "emu/nvidia/values.h"

namespace micius::emu {
namespace {

constexpr int kFirstPid = 27'410;

std::string device_bus(const Host& host, std::int64_t device) {
  const std::string bus = bus_id(host, static_cast<std::size_t>(device));
  return lower_ascii(bus.substr(bus.size() >= 16 ? 4 : 0, 10));
}

void head(Host& host, const PerfPlan& plan) {
  const std::string version = host.fact_or("packages.nccl_tests", "");
  const std::string library = host.fact_or("packages.nccl", "");
  const std::string code = library.substr(0, library.find('+'));
  host.print("# nccl-tests version {} nccl-headers={} nccl-library={}\n# Collective test starting: {}\n",
             version, code, code, plan.program);
  host.print(
      "# nThread {} nGpus {} minBytes {} maxBytes {} step: {}({}) warmup iters: {} iters: {} agg iters: {} "
      "validation: {} "
      "graph: {} unalign: {}\n#\n# Using devices\n",
      plan.threads, plan.gpus, plan.min_bytes, plan.max_bytes,
      plan.step_factor > 1 ? plan.step_factor : plan.step_bytes, plan.step_factor > 1 ? "factor" : "bytes",
      plan.warmup, plan.iterations, plan.aggregated, plan.check, plan.graph, plan.unalign);
  for (std::int64_t rank = 0; rank < plan.ranks(); ++rank) {
    const RankPlace place = rank_place(host, plan, rank);
    host.print("#  Rank {:>2} Group {:>2} Pid {:>6} on {:>10} device {:>2} [{}] {}\n", rank, 0,
               kFirstPid + rank / (plan.threads * plan.gpus), place.host, place.device,
               device_bus(host, place.device), gpu_name(host));
  }
}

void foot(Host& host, const PerfPlan& plan, double average) {
  if (plan.memory) host.print("# Memory used by the library : {} MiB a rank\n", 1'342);
  host.print(
      "# Out of bounds values : 0 OK\n# Avg bus bandwidth    : {:g} \n#\n# Collective test concluded: {}\n",
      average, plan.program);
}

std::string too_many(std::int64_t wanted, std::size_t there) {
  return fmt::format(
      "Invalid number of GPUs: {} requested but only {} were found.\nPlease check the number of processes "
      "and GPUs per process.\n",
      wanted, there);
}

std::string library_version(const Host& host) {
  return host.profile().platform == "amd" ? "RCCL version : " + host.fact_or("packages.rccl", "")
                                          : "NCCL version " + host.fact_or("packages.nccl", "");
}

bool log_wants(Host& host, const char* subsystem) {
  const std::string list = lower_ascii(host.env("NCCL_DEBUG_SUBSYS").value_or("INIT,BOOTSTRAP,ENV"));
  return list == "all" ||
         (list.rfind("^", 0) == 0) != (list.find(lower_ascii(subsystem)) != std::string::npos);
}

std::string log_line(Host& host, std::int64_t device, std::string_view text) {
  return fmt::format("{0}:{1}:{1} [{2}] NCCL INFO {3}\n", host.fact_or("hostname", ""), kFirstPid, device,
                     text);
}

std::string info_log(Host& host, const PerfPlan& plan) {
  std::string text;
  const bool net = plan.hosts > 1;
  const bool ib = host.env("NCCL_IB_DISABLE").value_or("0") == "0" && host.json("nics.0") != nullptr;
  const std::string interface = host.env("NCCL_SOCKET_IFNAME").value_or("eth0");
  if (log_wants(host, "BOOTSTRAP"))
    text += log_line(host, 0, fmt::format("Bootstrap : Using {}:10.0.0.1<0>", interface));
  if (log_wants(host, "ENV"))
    for (const auto& [name, value] : host.environment())
      if (name.rfind("NCCL_", 0) == 0 && name.rfind("NCCL_DEBUG", 0) != 0)
        text += log_line(host, 0, fmt::format("{} set by environment to {}.", name, value));
  if (log_wants(host, "NET"))
    text += log_line(host, 0,
                     ib ? fmt::format("NET/IB : Using [0]{}:1/IB", host.env("NCCL_IB_HCA").value_or("mlx5_0"))
                        : fmt::format("NET/Socket : Using [0]{}:10.0.0.1<0>", interface));
  if (log_wants(host, "INIT")) {
    text += log_line(host, 0, library_version(host));
    text += log_line(host, 0, fmt::format("Using network {}", ib ? "IB" : "Socket"));
  }
  for (std::int64_t rank = 0; rank < std::min<std::int64_t>(plan.ranks(), 64); ++rank) {
    const std::int64_t device = rank_place(host, plan, rank).device;
    if (log_wants(host, "GRAPH"))
      text += log_line(
          host, device,
          fmt::format("Trees [0] {}/-1/-1->{}->{}", rank + 1 < plan.ranks() ? rank + 1 : -1, rank, rank - 1));
    if (log_wants(host, "P2P") && rank + 1 < plan.ranks())
      text +=
          log_line(host, device,
                   fmt::format("Channel 00/0 : {}[{}] -> {}[{}] via {}", rank, device, rank + 1, device + 1,
                               host.env("NCCL_P2P_DISABLE").value_or("0") != "0" ? "SHM/direct/direct"
                               : net                                             ? "NET/IB/0"
                                                                                 : "P2P/CUMEM"));
    if (log_wants(host, "INIT"))
      text += log_line(
          host, device,
          fmt::format("ncclCommInitRank comm 0x{:x} rank {} nranks {} cudaDev {} busId {} - Init COMPLETE",
                      0x55d0c0a0 + rank * 0x1000, rank, plan.ranks(), device, device_bus(host, device)));
  }
  return text;
}

void dump_topology(Host& host, const std::string& file) {
  std::string text = "<system version=\"1\">\n";
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu)
    text += fmt::format("  <gpu dev=\"{}\" busid=\"{}\" numa=\"{}\" nvlinks=\"{}\"/>\n", gpu,
                        device_bus(host, static_cast<std::int64_t>(gpu)), host.gpu(gpu, "numa").value_or("0"),
                        host.gpu(gpu, "nvlink.count").value_or("0"));
  if (const Json* nics = host.json("nics"))
    for (const Json& nic : *nics)
      text +=
          fmt::format("  <net name=\"{}\" busid=\"{}\" speed=\"{}000\"/>\n", nic["name"].get<std::string>(),
                      nic["bus_id"].get<std::string>(), nic["rate_gbps"].get<int>());
  host.write(file, text + "</system>\n");
}

constexpr const char* kColumns =
    "#\n#                                                              out-of-place                       "
    "in-place          \n"
    "#       size         count      type   redop    root     time   algbw   busbw  #wrong     time   algbw  "
    " "
    "busbw  #wrong @\n"
    "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)             (us)  (GB/s)  "
    "(GB/s)         \n";

constexpr PerfFlavour kNccl = {"nccl-tests", 1,    "f8e4m3",          "f8e5m2", kColumns, 6,
                               nullptr,      head, print_library_log, foot,     too_many};

}  // namespace

void print_library_log(Host& host, const PerfPlan& plan) {
  for (const auto& [name, value] : std::map(host.environment()))
    if (name.rfind("NCCL_", 0) == 0 || name.rfind("RCCL_", 0) == 0)
      host.env(name);  // the library reads them all
  const std::string level = lower_ascii(host.env("NCCL_DEBUG").value_or(""));
  std::string text;
  if (level == "version") text = library_version(host) + "\n";
  if (level == "info" || level == "trace") text = info_log(host, plan);
  if (const auto file = host.env("NCCL_TOPO_FILE");
      file && host.file(*file) == nullptr && (level == "info" || level == "warn"))
    text += log_line(host, 0,
                     fmt::format("Could not open XML topology file {} : No such file or directory", *file));
  const auto log = host.env("NCCL_DEBUG_FILE");
  if (log && !text.empty())
    host.write(*log, text);
  else
    host.out(text);
  if (const auto file = host.env("NCCL_TOPO_DUMP_FILE")) dump_topology(host, *file);
  if (const auto file = host.env("NCCL_GRAPH_DUMP_FILE"))
    host.write(*file,
               "<graphs version=\"1\">\n  <graph id=\"0\" pattern=\"4\" nchannels=\"16\"/>\n</graphs>\n");
}

int run_nccl_perf(Host& host, const Args& args) { return run_perf(host, args, kNccl); }

}  // namespace micius::emu
