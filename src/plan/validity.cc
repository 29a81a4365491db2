#include "plan/validity.h"

#include <limits>
#include <optional>

#include <fmt/format.h>

namespace micius::plan {
namespace {

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

// Walks through a plan and keeps since when each GPU holds each chunk. In a list every step is a moment of
// its own, so a list is checked as rounds of one step.
class Walk {
 public:
  Walk(const Machine& machine, int chunks, const Plan& plan)
      : machine_(machine), gpus_(machine.gpus()), chunks_(chunks), plan_(plan) {
    since_.assign(static_cast<std::size_t>(gpus_) * gpus_ * chunks_, kNever);
    for (int gpu = 0; gpu < gpus_; ++gpu) {
      for (int chunk = 0; chunk < chunks_; ++chunk) since_[slot(gpu, gpu, chunk)] = 0;
    }
  }

  Checked run() {
    result_.outcome.steps = plan_.steps.size();
    if (plan_.steps.empty()) return wrong("empty", "the plan has no steps");
    if (plan_.steps.size() > kMostSteps) {
      return wrong("too_long",
                   fmt::format("the plan has {} steps, more than {}", plan_.steps.size(), kMostSteps));
    }
    const bool rounds = plan_.kind == PlanKind::kRounds;
    result_.executed.kind = plan_.kind;
    std::size_t round = 0;
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      if (rounds && i == plan_.round_ends[round]) {
        end_round();
        ++round;
      }
      const std::size_t moment = (rounds ? round : i) + 1;
      if (auto error = step(plan_.steps[i], moment)) {
        const std::string place =
            rounds ? fmt::format("round {}, step {}", moment, i + 1) : fmt::format("step {}", i + 1);
        const Step& s = plan_.steps[i];
        result_.outcome.wrong_step = i;
        return wrong(error->code, fmt::format("{} (D({}, {}): G({}) => G({})): {}", place, s.owner, s.chunk,
                                              s.src, s.dst, error->text));
      }
    }
    if (rounds) end_round();
    return complete();
  }

 private:
  struct Mistake {
    const char* code;
    std::string text;
  };

  std::size_t slot(int gpu, int owner, int chunk) const {
    return (static_cast<std::size_t>(gpu) * gpus_ + owner) * chunks_ + chunk;
  }

  void end_round() {
    Plan& executed = result_.executed;
    const std::size_t before = executed.round_ends.empty() ? 0 : executed.round_ends.back();
    if (executed.steps.size() > before) executed.round_ends.push_back(executed.steps.size());
  }

  std::optional<Mistake> step(const Step& s, std::size_t moment) {
    for (const int gpu : {s.owner, s.src, s.dst}) {
      if (gpu >= gpus_)
        return Mistake{"no_gpu", fmt::format("G({}) does not exist, there are {} GPUs", gpu, gpus_)};
    }
    if (s.chunk >= chunks_) {
      return Mistake{"no_chunk",
                     fmt::format("chunk {} does not exist, there are {} chunks per GPU", s.chunk, chunks_)};
    }
    if (since_[slot(s.src, s.owner, s.chunk)] >= moment) {
      return Mistake{"not_held",
                     fmt::format("G({}) does not hold D({}, {}) at that time", s.src, s.owner, s.chunk)};
    }
    if (s.src != s.dst && !machine_.connected(s.src, s.dst)) {
      return Mistake{"no_link", fmt::format("there is no link from G({}) to G({})", s.src, s.dst)};
    }
    std::size_t& since = since_[slot(s.dst, s.owner, s.chunk)];
    if (since != kNever) {
      ++result_.outcome.redundant;
    } else {
      since = moment;
      result_.executed.steps.push_back(s);
    }
    return std::nullopt;
  }

  Checked complete() {
    std::size_t missing = 0;
    std::string first;
    for (int gpu = 0; gpu < gpus_; ++gpu) {
      for (int owner = 0; owner < gpus_; ++owner) {
        for (int chunk = 0; chunk < chunks_; ++chunk) {
          if (since_[slot(gpu, owner, chunk)] != kNever) continue;
          if (missing++ == 0)
            first = fmt::format("at the end G({}) does not hold D({}, {})", gpu, owner, chunk);
        }
      }
    }
    if (missing > 1) first += fmt::format(" ({} more are missing)", missing - 1);
    if (missing > 0) return wrong("incomplete", std::move(first));
    result_.outcome.valid = true;
    return std::move(result_);
  }

  Checked wrong(const char* code, std::string error) {
    result_.outcome.redundant = 0;
    result_.outcome.code = code;
    result_.outcome.error = std::move(error);
    return std::move(result_);
  }

  const Machine& machine_;
  int gpus_, chunks_;
  const Plan& plan_;
  std::vector<std::size_t> since_;  // the moment in which it arrives: [gpu][owner][chunk]; 0: owned
  Checked result_;
};

}  // namespace

Checked check(const Machine& machine, int chunks_per_gpu, const Plan& plan) {
  return Walk(machine, chunks_per_gpu, plan).run();
}

}  // namespace micius::plan
