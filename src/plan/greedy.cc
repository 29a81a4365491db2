#include "plan/greedy.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>

namespace micius::plan {
namespace {

class Greedy {
 public:
  Greedy(const Machine& machine, int chunks, const GreedyOptions& options)
      : gpus_(machine.gpus()), chunks_(chunks), options_(options), order_(options.order) {
    if (order_.empty()) {
      order_.resize(static_cast<std::size_t>(gpus_));
      std::iota(order_.begin(), order_.end(), 0);
    }
    for (const Link& link : machine.links()) gbps_.push_back(static_cast<double>(link.mbps) / 1000);
    for (const double gbps : gbps_) free_load_.push_back(1 / gbps);
    if (options.most_chunks > 0)
      limit_ = options.most_chunks / (static_cast<double>(options.most_mbps) / 1000);
    missing_ = gpus_ * (gpus_ - 1) * chunks_;
    held_.assign(static_cast<std::size_t>(gpus_) * chunks_ * gpus_, 0);
    for (int gpu = 0; gpu < gpus_; ++gpu) {
      for (int chunk = 0; chunk < chunks_; ++chunk) held_[slot(gpu, chunk, gpu)] = 1;
    }
    sources_.resize(static_cast<std::size_t>(gpus_));
    for (int src = 0; src < gpus_; ++src) {
      for (int dst = 0; dst < gpus_; ++dst) {
        if (machine.connected(src, dst))
          sources_[dst].push_back({src, machine.route_mbps(src, dst), machine.route(src, dst)});
      }
    }
  }

  std::optional<Plan> run() {
    Plan plan;
    while (missing_ > 0) {
      const std::vector<Step> steps = round();
      if (steps.empty()) return std::nullopt;
      plan.add_round(steps);
    }
    return plan;
  }

 private:
  std::size_t slot(int owner, int chunk, int gpu) const {
    return (static_cast<std::size_t>(owner) * chunks_ + chunk) * gpus_ + gpu;
  }

  std::vector<Step> round() {
    load_.assign(gbps_.size(), 0);
    next_load_ = free_load_;
    coming_ = held_;
    std::vector<Step> steps;
    for (const int owner : order_) {
      for (int chunk = 0; chunk < chunks_; ++chunk) {
        for (int i = 0; i < gpus_; ++i) {
          const int dst = options_.first ? (owner + *options_.first + i) % gpus_ : i;
          if (held_[slot(owner, chunk, dst)] == 0) serve(owner, chunk, dst, steps);
        }
      }
    }
    held_ = coming_;
    missing_ -= static_cast<int>(steps.size());
    return steps;
  }

  // A GPU that can send to a certain other one.
  struct Source {
    int gpu;
    std::int64_t mbps;  // of the slowest link
    std::span<const int> route;
  };

  void serve(int owner, int chunk, int dst, std::vector<Step>& steps) {
    const std::size_t first = slot(owner, chunk, 0);
    const Source* best = nullptr;
    double least = 0;
    for (const Source& source : sources_[dst]) {
      if (held_[first + source.gpu] == 0) continue;
      double load = 0;
      for (const int link : source.route) load = std::max(load, next_load_[link]);
      if (best != nullptr && load >= least) continue;
      best = &source;
      least = load;
    }
    if (best == nullptr) return;
    if (options_.most_chunks > 0 && least > limit_ && !steps.empty()) return;
    if (options_.wait && nearer(first, *best, dst)) return;
    for (const int link : best->route) next_load_[link] = (++load_[link] + 1) / gbps_[link];
    coming_[first + dst] = 1;
    steps.push_back({owner, chunk, best->gpu, dst});
  }

  bool nearer(std::size_t first, const Source& best, int dst) const {
    return std::any_of(sources_[dst].begin(), sources_[dst].end(), [&](const Source& source) {
      return coming_[first + source.gpu] != 0 && source.mbps > best.mbps;
    });
  }

  int gpus_, chunks_;
  const GreedyOptions& options_;
  std::vector<int> order_;
  std::vector<double> gbps_;  // [link]
  double limit_ = 0;
  int missing_ = 0;                            // deliveries to go
  std::vector<char> held_, coming_;            // [owner][chunk][gpu]: at the round's beginning; after it
  std::vector<double> load_;                   // [link]: chunks in this round
  std::vector<double> next_load_, free_load_;  // [link]: with one more, in chunks / (GB/s)
  std::vector<std::vector<Source>> sources_;   // [dst], by number
};

}  // namespace

std::optional<Plan> greedy_plan(const Machine& machine, int chunks, const GreedyOptions& options) {
  return Greedy(machine, chunks, options).run();
}

}  // namespace micius::plan
