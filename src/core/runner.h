// Anything that turns prompts into completions: the engine, an API, a replay.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "core/completion.h"
#include "core/generate_options.h"
#include "core/prompt.h"

namespace micius {

struct Request {
  RequestId id{};
  Prompt prompt;
  GenerateOptions options;
  // The right answer to this prompt and that of another sample of the same group; for the pseudo-models
  // `reference` and `random` only, never sent to a model. A likelihood prompt's answer is the index of the
  // choice, as text.
  std::string reference, other_reference;
  int repeat = 0;
  std::size_t turn = 0;
  // The turn of the record of the run that it is asked for: the same in each execution of the run, and in no
  // other run. "" where it is asked for none.
  std::string asked_for;
  // kText: messages are read as plain text, joined by blank lines, whatever chat template the model has.
  PromptStyle style = PromptStyle::kTurns;
};

// Where completions arrive. May be called from any thread; for one id, on_first_token comes at most once and
// before on_done, and on_done comes exactly once. Must not throw.
class CompletionSink {
 public:
  virtual ~CompletionSink() = default;
  virtual void on_first_token(RequestId id, Clock::time_point when) = 0;
  virtual void on_done(Completion completion) = 0;
};

struct RunnerInfo {
  std::string name;    // as the user wrote it: "smollm2-135m", "openai:gpt-4o"
  std::string kind;    // engine, openai, azure, anthropic, replay, reference, empty, random
  std::string sha256;  // of the model file; empty where there is none
  std::string url;     // of the server; empty where there is none
  bool generates = true;
  bool weighs = true;   // takes LikelihoodInput
  bool splits = false;  // takes every PairSplit, not only kContext
  bool chat_template = false;
  std::size_t max_in_flight = 64;  // how many requests it makes good use of at once
  Json options =
      Json::object();  // what of its settings may change an answer: {"numerics": "precise"}; part of the spec
  Json weigh_options = Json::object();  // the same for LikelihoodInput alone
  Json environment = Json::object();    // what may not: {"isa": "avx512", "threads": 2, "cpu": ".."}
};

// Turns prompts into completions. The same interface serves accuracy and speed runs.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual const RunnerInfo& info() const = 0;
  // Starts all requests and may return before any has ended. `sink` must live until drain() returns.
  // A request that fails ends in on_done with a Failure; it does not throw.
  virtual void submit(std::vector<Request> requests, CompletionSink& sink) = 0;
  virtual void drain() = 0;  // returns once every submitted request has ended
  virtual void
  cancel() = 0;  // requests that were submitted end soon, with stop_reason kFailed and code "cancelled"
};

}  // namespace micius
