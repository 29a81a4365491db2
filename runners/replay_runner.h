// Answers from the records of a run, so that a changed scorer or a test costs no model.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "core/runner.h"
#include "core/store.h"

namespace micius {

// Finds the answer by sample id, repeat and turn, whatever the prompt says now; one that is not there fails
// with code "not_recorded". Reads the run when made and keeps its completions in memory; times are those of
// the recorded run. Answers in submit(), in the caller's thread.
class ReplayRunner final : public Runner {
 public:
  // Throws Error{kNotFound} for a run that is not there.
  ReplayRunner(const Store& store, RunId run);
  const RunnerInfo& info() const override { return info_; }
  void submit(std::vector<Request> requests, CompletionSink& sink) override;
  void drain() override {}
  void cancel() override {}

 private:
  RunnerInfo info_;
  std::map<std::tuple<std::string, int, std::size_t>, Completion> completions_;
};

}  // namespace micius
