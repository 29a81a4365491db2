#include "emu/nccl/model.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace micius::emu {
namespace {

// An effect of a variable: alpha and bandwidth in percent of what they are without it.
struct Effect {
  const char* name;
  const char* value;  // lower case; "*": any that is not 0
  int hosts;          // 0: always, 2: only across hosts
  std::int64_t alpha, bandwidth;
};

constexpr Effect kEffects[] = {
    {"NCCL_ALGO", "ring", 0, 135, 77},
    {"NCCL_ALGO", "tree", 0, 94, 71},
    {"NCCL_ALGO", "nvls", 0, 105, 100},
    {"NCCL_ALGO", "nvlstree", 0, 108, 98},
    {"NCCL_ALGO", "collnetdirect", 0, 112, 88},
    {"NCCL_ALGO", "collnetchain", 0, 118, 83},
    {"NCCL_ALGO", "pat", 0, 97, 90},
    {"NCCL_PROTO", "simple", 0, 132, 100},
    {"NCCL_PROTO", "ll", 0, 88, 24},
    {"NCCL_PROTO", "ll128", 0, 92, 91},
    {"NCCL_P2P_DISABLE", "*", 0, 215, 5},
    {"NCCL_P2P_DIRECT_DISABLE", "*", 0, 107, 92},
    {"NCCL_P2P_LEVEL", "loc", 0, 215, 5},
    {"NCCL_SHM_DISABLE", "*", 2, 104, 98},
    {"NCCL_IB_DISABLE", "*", 2, 218, 2},
    {"NCCL_NET", "socket", 2, 218, 2},
    {"NCCL_NET_GDR_LEVEL", "loc", 2, 128, 61},
    {"NCCL_NET_GDR_LEVEL", "0", 2, 128, 61},
    {"NCCL_NET_GDR_READ", "0", 2, 103, 93},
    {"NCCL_PXN_DISABLE", "*", 2, 106, 87},
    {"NCCL_CROSS_NIC", "*", 2, 101, 97},
    {"NCCL_IB_ADAPTIVE_ROUTING", "*", 2, 100, 103},
    {"NCCL_NVLS_ENABLE", "0", 0, 110, 77},
    {"NCCL_COLLNET_ENABLE", "*", 2, 96, 104},
    {"NCCL_LAUNCH_MODE", "group", 0, 103, 100},
    {"NCCL_CUMEM_ENABLE", "0", 0, 101, 99},
    {"NCCL_LOCAL_REGISTER", "0", 0, 102, 96},
    {"NCCL_GRAPH_REGISTER", "0", 0, 101, 98},
    {"RCCL_MSCCL_ENABLE", "0", 0, 118, 96},
    {"RCCL_MSCCLPP_ENABLE", "*", 0, 78, 101},
    {"HSA_FORCE_FINE_GRAIN_PCIE", "*", 2, 101, 99},
};

// Variables that hold a count: `full` of it is what the library takes by itself.
struct Count {
  const char* name;
  std::int64_t full;
  bool caps;  // less than full costs bandwidth
};
constexpr Count kCounts[] = {
    {"NCCL_MAX_NCHANNELS", 16, true},  {"NCCL_MIN_NCHANNELS", 16, false},
    {"NCCL_MAX_CTAS", 16, true},       {"NCCL_MIN_CTAS", 16, false},
    {"NCCL_NTHREADS", 512, true},      {"NCCL_BUFFSIZE", 4'194'304, true},
    {"NCCL_NVLS_NCHANNELS", 16, true}, {"NCCL_MAX_NRINGS", 16, true},
    {"NCCL_MIN_NRINGS", 16, false},    {"NCCL_P2P_NVL_CHUNKSIZE", 524'288, true},
};

bool is_number(const std::string& text, std::int64_t& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size();
}

// The 2-logarithm of the ranks, of which alpha grows.
std::int64_t steps(std::int64_t ranks) {
  std::int64_t count = 0;
  while ((std::int64_t{1} << count) < ranks && count < 30) ++count;
  return count;
}

std::int64_t thousandths(const Host& host, const std::string& path, std::int64_t fallback) {
  const Json* value = host.json(path);
  return value == nullptr || !value->is_number() ? fallback : std::llround(value->get<double>() * 1000);
}

}  // namespace

Collective collective_of(std::string_view program, std::int64_t ranks) {
  const std::string_view name = program.substr(0, program.rfind("_perf"));
  Collective result{std::string(name), std::max<std::int64_t>(ranks - 1, 0),
                    std::max<std::int64_t>(ranks, 1)};
  result.has_op = name == "all_reduce" || name == "reduce_scatter" || name == "reduce";
  result.has_root = name == "broadcast" || name == "reduce" || name == "gather" || name == "scatter";
  if (name == "all_reduce") result.numerator *= 2;
  if (name == "broadcast" || name == "reduce" || name == "sendrecv")
    result.numerator = result.denominator = 1;
  result.divided = name != "all_reduce" && name != "broadcast" && name != "reduce" && name != "sendrecv";
  return result;
}

BandwidthModel::BandwidthModel(Host& host, const Collective& collective, std::int64_t ranks,
                               std::int64_t hosts)
    : collective_(collective) {
  std::string key =
      "bandwidth." + (collective.name == "alltoallv" ? std::string("alltoall") : collective.name);
  if (host.json(key) == nullptr) key = "bandwidth.all_gather";
  const std::string suffix = hosts > 1 ? "_2n" : "";
  alpha_ns_ = thousandths(host, key + ".alpha_us" + suffix, 20'000);
  megabytes_per_s_ = std::max<std::int64_t>(1, thousandths(host, key + ".busbw_gbps" + suffix, 10'000));
  const std::int64_t all = steps(static_cast<std::int64_t>(host.gpu_count()) * hosts);
  alpha_ns_ = alpha_ns_ * (1 + steps(ranks)) / (1 + all);
  apply(host, hosts);
}

void BandwidthModel::scale(std::int64_t alpha_percent, std::int64_t bandwidth_percent) {
  alpha_ns_ = alpha_ns_ * alpha_percent / 100;
  megabytes_per_s_ = std::max<std::int64_t>(1, megabytes_per_s_ * bandwidth_percent / 100);
}

void BandwidthModel::apply(Host& host, std::int64_t hosts) {
  for (const Effect& effect : kEffects) {
    const auto value = host.env(effect.name);
    if (!value || effect.hosts > hosts) continue;
    const std::string word = lower_ascii(*value);
    if (effect.value == word || (effect.value == std::string_view("*") && !word.empty() && word != "0"))
      scale(effect.alpha, effect.bandwidth);
  }
  for (const Count& count : kCounts) {
    const auto value = host.env(count.name);
    std::int64_t number = 0;
    if (!value || !is_number(*value, number) || number <= 0) continue;
    if (count.caps && number < count.full)
      scale(100, std::max<std::int64_t>(8, 35 + 65 * number / count.full));
    if (!count.caps && number > count.full) scale(102, 101);
  }
}

std::int64_t BandwidthModel::time_ns(std::int64_t bytes) const {
  const std::int64_t wire = bytes / collective_.denominator * collective_.numerator +
                            bytes % collective_.denominator * collective_.numerator / collective_.denominator;
  return alpha_ns_ + wire / megabytes_per_s_ * 1000 + wire % megabytes_per_s_ * 1000 / megabytes_per_s_;
}

double BandwidthModel::algorithm_bandwidth(std::int64_t bytes, std::int64_t ns) const {
  return ns <= 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(ns);
}

double BandwidthModel::bus_bandwidth(std::int64_t bytes, std::int64_t ns) const {
  return algorithm_bandwidth(bytes, ns) * static_cast<double>(collective_.numerator) /
         static_cast<double>(collective_.denominator);
}

}  // namespace micius::emu
