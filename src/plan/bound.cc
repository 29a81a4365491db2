#include "plan/bound.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

namespace micius::plan {
namespace {

__extension__ using Wide = __int128;

constexpr Wide kUnit = 1'000'000'000;  // in a picosecond
constexpr Wide kUnreachable = std::numeric_limits<std::int64_t>::max() * kUnit;
constexpr std::int64_t kInfinite = std::numeric_limits<std::int64_t>::max() / 4;

// Maximum flow by shortest augmenting levels (Dinic, 1970).
class Flow {
 public:
  explicit Flow(std::size_t nodes) : out_(nodes), level_(nodes), next_(nodes) {}

  void add(std::size_t from, std::size_t to, std::int64_t capacity) {
    out_[from].push_back(arcs_.size());
    arcs_.push_back({to, capacity});
    out_[to].push_back(arcs_.size());
    arcs_.push_back({from, 0});
  }

  // The nodes on the source's side of a minimum cut.
  std::vector<bool> min_cut(std::size_t source, std::size_t sink) {
    while (levels(source)[sink] >= 0) {
      std::fill(next_.begin(), next_.end(), 0);
      while (push(source, sink, kInfinite) > 0) {
      }
    }
    std::vector<bool> side(out_.size());
    for (std::size_t i = 0; i < side.size(); ++i) side[i] = level_[i] >= 0;
    return side;
  }

 private:
  struct Arc {
    std::size_t to;
    std::int64_t left;
  };

  const std::vector<int>& levels(std::size_t source) {
    std::fill(level_.begin(), level_.end(), -1);
    level_[source] = 0;
    std::queue<std::size_t> queue({source});
    for (; !queue.empty(); queue.pop()) {
      for (const std::size_t arc : out_[queue.front()]) {
        if (arcs_[arc].left == 0 || level_[arcs_[arc].to] >= 0) continue;
        level_[arcs_[arc].to] = level_[queue.front()] + 1;
        queue.push(arcs_[arc].to);
      }
    }
    return level_;
  }

  std::int64_t push(std::size_t node, std::size_t sink, std::int64_t most) {
    if (node == sink) return most;
    for (; next_[node] < out_[node].size(); ++next_[node]) {
      const std::size_t arc = out_[node][next_[node]];
      const std::size_t to = arcs_[arc].to;
      if (arcs_[arc].left == 0 || level_[to] != level_[node] + 1) continue;
      const std::int64_t pushed = push(to, sink, std::min(most, arcs_[arc].left));
      if (pushed == 0) continue;
      arcs_[arc].left -= pushed;
      arcs_[arc ^ 1].left += pushed;
      return pushed;
    }
    return 0;
  }

  std::vector<Arc> arcs_;  // an arc and its reverse side by side
  std::vector<std::vector<std::size_t>> out_;
  std::vector<int> level_;
  std::vector<std::size_t> next_;
};

// B_out(S) / |GPUs in S| of a set, in MB/s a GPU.
struct Ratio {
  std::int64_t mbps = 0, gpus = 0;
};

Ratio ratio_of(const Machine& machine, const std::vector<bool>& in) {
  Ratio ratio;
  for (int gpu = 0; gpu < machine.gpus(); ++gpu) ratio.gpus += in[gpu] ? 1 : 0;
  for (const Link& link : machine.links()) {
    if (in[link.from] && !in[link.to]) ratio.mbps += link.mbps;
  }
  return ratio;
}

// The set with the least ratio of all that leave out `target`, if that is less than `ratio`.
void lower(const Machine& machine, int target, Ratio& ratio) {
  const std::size_t nodes = machine.nodes().size();
  while (true) {
    Flow flow(nodes + 1);  // the last node feeds every GPU at the rate
    for (int gpu = 0; gpu < machine.gpus(); ++gpu) flow.add(nodes, gpu, ratio.mbps);
    for (const Link& link : machine.links()) flow.add(link.from, link.to, link.mbps * ratio.gpus);
    std::vector<bool> side = flow.min_cut(nodes, target);
    side.pop_back();
    const Ratio found = ratio_of(machine, side);
    if (found.gpus == 0 || found.mbps * ratio.gpus >= ratio.mbps * found.gpus) return;
    ratio = found;
    if (ratio.mbps == 0) return;
  }
}

Ratio least_ratio(const Machine& machine) {
  std::vector<bool> all_but_first(machine.nodes().size(), true);
  all_but_first[0] = false;
  Ratio ratio = ratio_of(machine, all_but_first);
  for (int target = 0; target < machine.gpus() && ratio.mbps > 0; ++target) lower(machine, target, ratio);
  return ratio;
}

// Over pairs of GPUs, the longest of the shortest times of a chunk (Dijkstra), in 10^-9 ps, so that fractions
// add up; kUnreachable if there is no way.
Wide farthest(const CostModel& model) {
  const Machine& machine = model.machine();
  const std::size_t nodes = machine.nodes().size();
  std::vector<std::vector<std::size_t>> out(nodes);
  std::vector<Wide> hop;
  for (std::size_t i = 0; i < machine.links().size(); ++i) {
    const Link& link = machine.links()[i];
    out[link.from].push_back(i);
    hop.push_back(link.latency_ps * kUnit +
                  (model.chunk_bytes() * 1'000'000 * kUnit + link.mbps / 2) / link.mbps);
  }
  Wide longest = 0;
  for (int src = 0; src < machine.gpus(); ++src) {
    using Entry = std::pair<Wide, std::size_t>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
    std::vector<Wide> time(nodes, kUnreachable);
    time[src] = 0;
    queue.emplace(0, src);
    while (!queue.empty()) {
      const auto [now, node] = queue.top();
      queue.pop();
      if (now > time[node]) continue;
      for (const std::size_t link : out[node]) {
        Wide& then = time[machine.links()[link].to];
        if (now + hop[link] >= then) continue;
        then = now + hop[link];
        queue.emplace(then, machine.links()[link].to);
      }
    }
    longest = std::max(longest, *std::max_element(time.begin(), time.begin() + machine.gpus()));
  }
  return longest;
}

std::int64_t least_route_latency(const Machine& machine) {
  std::int64_t least = kInfinite;
  for (int src = 0; src < machine.gpus(); ++src) {
    for (int dst = 0; dst < machine.gpus(); ++dst) {
      if (machine.connected(src, dst)) least = std::min(least, machine.route_latency_ps(src, dst));
    }
  }
  return least;
}

}  // namespace

std::optional<Bound> lower_bound(const CostModel& model) {
  const Machine& machine = model.machine();
  if (machine.gpus() < 2) return std::nullopt;
  const Wide far = farthest(model);
  const Ratio ratio = least_ratio(machine);
  if (far == kUnreachable || ratio.mbps == 0) return std::nullopt;
  constexpr Wide kRoundingError = 1000;  // more than that of all hops
  const std::int64_t latency_ps = least_route_latency(machine);
  const Wide flow = static_cast<Wide>(model.chunk_bytes()) * model.chunks_per_gpu() * 1'000'000 * ratio.gpus;
  Bound bound;
  bound.cut_fs = latency_ps * 1000 + static_cast<std::int64_t>((flow * 1000 + ratio.mbps / 2) / ratio.mbps);
  bound.far_fs = static_cast<std::int64_t>((far + kUnit / 2000) / (kUnit / 1000));
  bound.ps = std::max(latency_ps + static_cast<std::int64_t>(flow / ratio.mbps),
                      static_cast<std::int64_t>((far + kRoundingError) / kUnit));
  return bound;
}

}  // namespace micius::plan
