// rccl-tests: what differs from nccl-tests, and the options that only they have.
#include "emu/amd/rccl.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "emu/amd/values.h"
#include "emu/nccl/perf.h"

namespace micius::emu {
namespace {

constexpr int kFirstPid = 9'632;

// Options of the buffers and the launch cost a fixed part of the time, so that a forgotten one shows.
struct Cost {
  const char *option, *value;  // "": any but 0
  std::int64_t percent;
};
constexpr Cost kCosts[] = {{"-Y", "fine", 109}, {"-Y", "host", 640},       {"-Y", "managed", 174},
                           {"-u", "", 112},     {"-y", "", 101},           {"-G", "", 97},
                           {"-R", "", 98},      {"-F", "", 106},           {"-E", "", 104},
                           {"-z", "", 102},     {"-q", "", 101},           {"-C", "", 103},
                           {"-a", "2", 99},     {"-a", "3", 103},          {"-O", "", 100},
                           {"-p", "", 100},     {"--memory_type", "", 101}};

void adjust(const Parsed& parsed, PerfPlan& plan) {
  plan.unalign = 0;  // -u is the mask of compute units here
  plan.timestamps = plan.memory = plan.per_iteration = false;
  for (const Cost& cost : kCosts) {
    const auto value = parsed.value(cost.option);
    if (value && (cost.value[0] == '\0' ? *value != "0" : *value == cost.value))
      plan.time_percent = plan.time_percent * cost.percent / 100;
  }
  if (const auto cycles = parsed.value("-s"); cycles && amd::is_integer(*cycles))
    plan.cycles = std::max(1LL, std::strtoll(cycles->c_str(), nullptr, 10));
}

void head(Host& host, const PerfPlan& plan) {
  host.print(
      "# Collective test starting: {}\n# nThread {} nGpus {} minBytes {} maxBytes {} step: {}({}) warmup "
      "iters: {} "
      "iters: {} agg iters: {} validation: {} graph: {} \n#\nrccl-tests: Version {}\n# Using devices\n",
      plan.program, plan.threads, plan.gpus, plan.min_bytes, plan.max_bytes,
      plan.step_factor > 1 ? plan.step_factor : plan.step_bytes, plan.step_factor > 1 ? "factor" : "bytes",
      plan.warmup, plan.iterations, plan.aggregated, plan.check, plan.graph,
      host.fact_or("packages.rccl_tests", ""));
  for (std::int64_t rank = 0; rank < plan.ranks(); ++rank) {
    const RankPlace place = rank_place(host, plan, rank);
    host.print("#  Rank {:>2} Group {:>2} Pid {:>6} on {:>10} device {:>2} [{}] {}\n", rank, 0,
               kFirstPid + rank / (plan.threads * plan.gpus), place.host, place.device,
               amd::fill(host, static_cast<std::size_t>(place.device), "{bdf}").substr(0, 10),
               host.fact_or("gpu_name", ""));
  }
}

void foot(Host& host, const PerfPlan& plan, double average) {
  host.print(
      "# Errors with asterisks indicate errors that have exceeded the maximum threshold.\n"
      "# Out of bounds values : 0 OK\n# Avg bus bandwidth    : {:g} \n#\n# Collective test concluded: {}\n",
      average, plan.program);
}

std::string too_many(std::int64_t wanted, std::size_t there) {
  return fmt::format(
      "[ERROR] The number of requested GPUs ({}) is greater than the number of GPUs available ({})\n", wanted,
      there);
}

constexpr const char* kColumns =
    "#\n#                                                              out-of-place                       "
    "in-place"
    "          \n"
    "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   "
    "busbw "
    "#wrong\n"
    "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  "
    "(GB/s)"
    "       \n";

constexpr PerfFlavour kRccl = {"rccl-tests", 5,    "fp8_e4m3",        "fp8_e5m2", kColumns, 5,
                               adjust,       head, print_library_log, foot,       too_many};

}  // namespace

int run_rccl_perf(Host& host, const Args& args) { return run_perf(host, args, kRccl); }

}  // namespace micius::emu
