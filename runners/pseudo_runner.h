// Models without a model: the ceiling, the floor and chance.
#pragma once

#include "base/clock.h"
#include "core/runner.h"

namespace micius {

enum class PseudoModel {
  kReference,  // answers with Request::reference; the right choice weighs 0 (greedy), the others -1000
  kEmpty,      // answers with no text; no likelihoods
  kRandom,     // answers with Request::other_reference in the same way
};

// Answers in submit(), in the caller's thread. `clock` must outlive it.
class PseudoRunner final : public Runner {
 public:
  PseudoRunner(PseudoModel model, const Clock& clock);
  const RunnerInfo& info() const override { return info_; }
  void submit(std::vector<Request> requests, CompletionSink& sink) override;
  void drain() override {}
  void cancel() override {}

 private:
  Completion answer(const Request& request) const;

  PseudoModel model_;
  const Clock* clock_;
  RunnerInfo info_;
};

}  // namespace micius
