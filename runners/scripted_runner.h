// Check models: what a suite must give to those who know the answer and say it badly, or do not know it.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "core/runner.h"

namespace micius {

// Answers in submit(), in the caller's thread, with what `script` makes of a request; takes no likelihood
// prompts. `clock` must outlive it.
class ScriptedRunner final : public Runner {
 public:
  using Script = std::function<std::string(const Request&)>;

  // `name` is the script's as the user wrote it; `sha256` of the file that it reads, or "".
  ScriptedRunner(const std::string& name, std::string sha256, Script script, const Clock& clock);
  const RunnerInfo& info() const override { return info_; }
  void submit(std::vector<Request> requests, CompletionSink& sink) override;
  void drain() override {}
  void cancel() override {}

 private:
  Script script_;
  const Clock* clock_;
  RunnerInfo info_;
};

}  // namespace micius
