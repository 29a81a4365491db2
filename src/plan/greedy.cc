#include "plan/greedy.h"

#include <algorithm>
#include <numeric>

namespace micius::plan {
namespace {

class Greedy {
 public:
  Greedy(const Machine& machine, int chunks, const GreedyOptions& options)
      : machine_(machine), gpus_(machine.gpus()), chunks_(chunks), options_(options), order_(options.order) {
    if (order_.empty()) {
      order_.resize(static_cast<std::size_t>(gpus_));
      std::iota(order_.begin(), order_.end(), 0);
    }
    for (const Link& link : machine.links()) gbps_.push_back(static_cast<double>(link.mbps) / 1000);
    if (options.most_chunks > 0)
      limit_ = options.most_chunks / (static_cast<double>(options.most_mbps) / 1000);
    missing_ = gpus_ * (gpus_ - 1) * chunks_;
    held_.assign(static_cast<std::size_t>(gpus_) * chunks_ * gpus_, false);
    for (int gpu = 0; gpu < gpus_; ++gpu) {
      for (int chunk = 0; chunk < chunks_; ++chunk) held_[slot(gpu, chunk, gpu)] = true;
    }
    speed_.assign(static_cast<std::size_t>(gpus_ * gpus_), 0);
    for (int src = 0; src < gpus_; ++src) {
      for (int dst = 0; dst < gpus_; ++dst) {
        if (machine.connected(src, dst)) speed_[src * gpus_ + dst] = machine.route_mbps(src, dst);
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
    load_.assign(machine_.links().size(), 0);
    coming_ = held_;
    std::vector<Step> steps;
    for (const int owner : order_) {
      for (int chunk = 0; chunk < chunks_; ++chunk) {
        for (int i = 0; i < gpus_; ++i) {
          const int dst = options_.first ? (owner + *options_.first + i) % gpus_ : i;
          if (!held_[slot(owner, chunk, dst)]) serve(owner, chunk, dst, steps);
        }
      }
    }
    held_ = coming_;
    missing_ -= static_cast<int>(steps.size());
    return steps;
  }

  void serve(int owner, int chunk, int dst, std::vector<Step>& steps) {
    int best = -1;
    double least = 0;
    for (int src = 0; src < gpus_; ++src) {
      if (!held_[slot(owner, chunk, src)] || !machine_.connected(src, dst)) continue;
      double load = 0;
      for (const int link : machine_.route(src, dst)) load = std::max(load, (load_[link] + 1) / gbps_[link]);
      if (best < 0 || load < least) {
        best = src;
        least = load;
      }
    }
    if (best < 0) return;
    if (options_.most_chunks > 0 && least > limit_ && !steps.empty()) return;
    if (options_.wait && nearer(owner, chunk, best, dst)) return;
    for (const int link : machine_.route(best, dst)) ++load_[link];
    coming_[slot(owner, chunk, dst)] = true;
    steps.push_back({owner, chunk, best, dst});
  }

  bool nearer(int owner, int chunk, int src, int dst) const {
    for (int gpu = 0; gpu < gpus_; ++gpu) {
      if (coming_[slot(owner, chunk, gpu)] && speed_[gpu * gpus_ + dst] > speed_[src * gpus_ + dst])
        return true;
    }
    return false;
  }

  const Machine& machine_;
  int gpus_, chunks_;
  const GreedyOptions& options_;
  std::vector<int> order_;
  std::vector<double> gbps_;  // [link]
  double limit_ = 0;
  int missing_ = 0;                  // deliveries to go
  std::vector<bool> held_, coming_;  // [owner][chunk][gpu]: at the round's beginning; after it
  std::vector<double> load_;         // [link]: chunks in this round
  std::vector<std::int64_t> speed_;  // [src][dst]: MB/s of the route, 0 without one
};

}  // namespace

std::optional<Plan> greedy_plan(const Machine& machine, int chunks, const GreedyOptions& options) {
  return Greedy(machine, chunks, options).run();
}

}  // namespace micius::plan
