// perftest: bandwidth and latency between two hosts. A message of S bytes takes the larger of the message
// rate's and the wire's time; latency is a constant and the wire's time.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/fabric/fabric.h"
#include "emu/shim/shim.h"

namespace micius::emu {
namespace {

constexpr std::int64_t kMaxSize = 8 << 20;
const std::string kRule(87, '-');

struct Plan {
  std::string verb;  // "write"
  bool latency = false, all = false, gigabits = false, both_ways = false;
  std::string device;
  std::int64_t rate_gbps = 0, size = 65'536, iterations = 5'000, queues = 1, mtu = 4'096, depth = 128,
               port = 18'515;
  std::string connection = "RC", gpu;
};

std::int64_t number(const Parsed& parsed, const char* option, std::int64_t fallback, std::int64_t most) {
  const auto text = parsed.value(option);
  std::int64_t value = 0;
  if (!text) return fallback;
  const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), value);
  return code == std::errc() && end == text->data() + text->size() ? std::clamp<std::int64_t>(value, 0, most)
                                                                   : -1;
}

bool read_plan(Host& host, const Parsed& parsed, const std::string& program, Plan& plan) {
  plan.verb = program.substr(3, program.rfind('_') - 3);
  plan.latency = program.substr(program.rfind('_') + 1) == "lat";
  plan.all = parsed.has("-a");
  plan.gigabits = parsed.has("--report_gbits");
  plan.both_ways = parsed.has("-b");
  plan.size = number(parsed, "-s",
                     plan.latency            ? 2
                     : plan.verb == "atomic" ? 8
                                             : 65'536,
                     std::int64_t{1} << 40);
  plan.iterations = number(parsed, "-n", plan.latency || plan.verb == "read" ? 1'000 : 5'000, 1'000'000'000);
  plan.queues = number(parsed, "-q", 1, 1 << 20);
  plan.mtu = number(parsed, "-m", 4'096, 4'096);
  plan.depth = number(parsed, "-t", 128, 1 << 20);
  plan.port = number(parsed, "-p", 18'515, 65'535);
  plan.connection = parsed.value_or("-c", "RC");
  if (plan.size <= 0 || plan.iterations <= 0 || plan.queues <= 0 || plan.mtu <= 0 || plan.depth <= 0 ||
      plan.port < 0) {
    host.error(" Invalid value of an option\n");
    return false;
  }
  for (const char* option : {"--use_cuda", "--use_rocm"})
    if (const auto gpu = parsed.value(option)) plan.gpu = *gpu;
  plan.device = parsed.value_or("-d", host.fact_or("nics.0.name", ""));
  if (const Json* nics = host.json("nics"))
    for (const Json& nic : *nics)
      if (nic["name"] == plan.device) plan.rate_gbps = nic["rate_gbps"].get<std::int64_t>();
  if (plan.rate_gbps == 0) {
    host.print_error(" IB device {} not found\n Unable to find the Infiniband/RoCE device\n",
                     shorten(to_valid_utf8(plan.device), 60));
    return false;
  }
  if (!plan.gpu.empty()) {
    std::size_t gpu = 0;
    const auto [end, code] = std::from_chars(plan.gpu.data(), plan.gpu.data() + plan.gpu.size(), gpu);
    if (code != std::errc() || end != plan.gpu.data() + plan.gpu.size() || gpu >= host.gpu_count()) {
      host.print_error("Failed to get the GPU device {}: invalid device ordinal\n",
                       shorten(to_valid_utf8(plan.gpu), 20));
      return false;
    }
  }
  return true;
}

void banner(Host& host, const Plan& plan) {
  std::string verb = plan.verb;
  verb[0] = static_cast<char>(verb[0] - 'a' + 'A');
  if (!plan.gpu.empty()) host.print("initializing CUDA\nPicking device No. {}\n", plan.gpu);
  host.print("{}\n                    {}{} {}{}\n", kRule, plan.verb == "send" ? "" : "RDMA_", verb,
             plan.both_ways ? "Bidirectional " : "", plan.latency ? "Latency Test" : "BW Test");
  host.print(
      " Dual-port       : OFF\t\tDevice         : {}\n Number of qps   : {}\t\tTransport type : IB\n "
      "Connection type : {}\t\tUsing SRQ      : OFF\n"
      " PCIe relax order: ON\n ibv_wr* API     : ON\n TX depth        : {}\n",
      plan.device, plan.queues, plan.connection, plan.latency ? 1 : plan.depth);
  if (!plan.latency) host.print(" CQ Moderation   : {}\n", 100);
  host.print(" Mtu             : {}[B]\n Link type       : IB\n", plan.mtu);
  if (plan.verb == "read" || plan.verb == "atomic") host.out(" Outstand reads  : 16\n");
  host.print(" Max inline data : 0[B]\n rdma_cm QPs\t : OFF\n Data ex. method : Ethernet\n{}\n", kRule);
  host.print(" local address: LID 0x{:02x} QPN 0x0127 PSN 0x3eb82d RKey 0x1fff00 VAddr 0x007f19adcbf000\n",
             11);
  host.print(
      " remote address: LID 0x{:02x} QPN 0x0127 PSN 0x7ff1bc RKey 0x1fff00 VAddr 0x007fc97ff50000\n{}\n", 21,
      kRule);
}

// Gigabits a second: at most 2.85 million messages a second a queue, at most 98 % of the wire.
double bandwidth(const Plan& plan, std::int64_t size) {
  const double bits = static_cast<double>(size) * 8;
  const double rate = 2.85e6 * static_cast<double>(std::min<std::int64_t>(plan.queues, 8)) * bits / 1e9;
  const double wire = 0.981 * static_cast<double>(plan.rate_gbps) *
                      (plan.mtu >= 4'096   ? 1.0
                       : plan.mtu >= 1'024 ? 0.97
                                           : 0.88) *
                      (plan.verb == "read" ? 0.995 : 1.0);
  return std::min(rate, wire) * (plan.both_ways ? 1.96 : 1.0);
}

void bandwidth_row(Host& host, const Plan& plan, std::int64_t size) {
  const double gbps = bandwidth(plan, size);
  const double shown = plan.gigabits ? gbps : gbps * 1e9 / 8 / (1 << 20);
  host.print(" {:<10} {:<11}    {:<16.2f}   {:<16.2f}     {:.6f}\n", size, plan.iterations, shown * 1.002,
             shown, gbps * 1e3 / 8 / static_cast<double>(size));
}

void latency_row(Host& host, const Plan& plan, std::int64_t size) {
  const double base = plan.verb == "read" ? 2.71 : plan.verb == "atomic" ? 2.75 : 1.42;
  const double typical = base + static_cast<double>(size) * 8 / (static_cast<double>(plan.rate_gbps) * 1e3);
  host.print(" {:<7} {:<13} {:<14.2f} {:<14.2f} {:<16.2f} {:<14.2f} {:<15.2f} {:<22.2f} {:<8.2f}\n", size,
             plan.iterations, typical * 0.97, typical * 2.1, typical, typical * 1.005, 0.05, typical * 1.08,
             typical * 1.6);
}

}  // namespace

int run_perftest(Host& host, const Args& args) {
  const std::string program = args[0].substr(args[0].rfind('/') + 1);
  const Parsed parsed = parse_options(host.tool("perftest"), Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) {
    gnu_problem(host, program, parsed);
    host.error(" Invalid Command or flag.\n Please check command line and run again.\n");
    return 1;
  }
  if (parsed.has("-V")) {
    host.out("Version: 24.10.0\n");
    return 0;
  }
  if (parsed.has("-h")) {
    host.print(
        "Usage:\n  {0}            start a server and wait for connection\n  {0} <host>     connect to server "
        "at <host>\n\nOptions:\n",
        program);
    for (const OptionSpec& option : parsed.command->options)
      host.print("  {:<30} {}\n", join(option.flags, ", "), option.help);
    return 0;
  }
  Plan plan;
  if (!read_plan(host, parsed, program, plan)) return 1;
  if (parsed.words.empty()) {
    host.print(
        "\n************************************\n* Waiting for client to connect... "
        "*\n************************************\n");
    host.unbounded();
    return 0;
  }
  const Json* peers = host.json("peers");
  const std::string& server = parsed.words[0];
  const bool known = server == "localhost" || server == "127.0.0.1" ||
                     server == host.fact_or("hostname", "") ||
                     (peers != nullptr && std::find(peers->begin(), peers->end(), server) != peers->end());
  if (!known) {
    host.print_error(
        "Couldn't connect to {}:{}\nUnable to open file descriptor for socket connection Unable to init the "
        "socket connection\n",
        shorten(to_valid_utf8(server), 100), plan.port);
    return 1;
  }
  banner(host, plan);
  if (plan.latency)
    host.out(
        " #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]    t_avg[usec]    t_stdev[usec]  "
        " 99% percentile[usec]   99.9% percentile[usec] \n");
  else
    host.print(" #bytes     #iterations    BW peak[{0}]    BW average[{0}]   MsgRate[Mpps]\n",
               plan.gigabits ? "Gb/sec" : "MB/sec");
  for (std::int64_t size = plan.all ? 2 : plan.size; size <= (plan.all ? kMaxSize : plan.size); size *= 2)
    plan.latency ? latency_row(host, plan, size) : bandwidth_row(host, plan, size);
  host.print("{}\n", kRule);
  host.advance(2'000'000'000);
  return 0;
}

}  // namespace micius::emu
