// From what came of a request's jobs to its answer: whole, or as a stream of events.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/engine.h"
#include "serve/batcher.h"
#include "serve/logprobs.h"
#include "serve/request.h"
#include "serve/shapes.h"

namespace micius {

// Who waits for an answer.
class Caller {
 public:
  virtual ~Caller() = default;
  virtual bool is_gone() const = 0;
};

struct ServedPrompt {
  std::string text;          // as an echo gives it back
  std::vector<TokenId> ids;  // what the model reads
};

// What an answer needs of its request. Choice i is of prompt i / params.n.
struct ReplyPlan {
  AnswerHead head;
  GenerateParams params;
  std::vector<ServedPrompt> prompts;
  bool echo = false;
};

// Server-sent events of one answer; what has not come when it goes is cancelled.
class EventStream {
 public:
  EventStream(const Tokenizer& tokenizer, ReplyPlan plan, std::unique_ptr<Generation> generation);

  // The data of the next event; absent if none comes within `wait` or all have come.
  std::optional<std::string> next(std::chrono::milliseconds wait);
  bool ended() const { return ended_ && ready_.empty(); }

 private:
  void begin(std::size_t index);
  void take(const GenerationEvent& event);
  void take(std::size_t index, const NewToken& token);
  void take(std::size_t index, const JobResult& result);
  void push(Json chunk);
  void finish();

  const Tokenizer& tokenizer_;
  ReplyPlan plan_;
  std::unique_ptr<Generation> generation_;
  std::deque<std::string> ready_;
  std::vector<TextOffsets> offsets_;  // by choice
  TokenUsage usage_;
  bool ended_ = false;
};

// Waits for all of it. Absent if the caller went away meanwhile. Throws Refusal for a job that failed.
std::optional<Json> whole_answer(const Tokenizer& tokenizer, const ReplyPlan& plan, Generation& generation,
                                 const Caller& caller);

}  // namespace micius
