// The endpoints of OpenAI's API, without HTTP: bodies in, answers out.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/rng.h"
#include "core/embedder.h"
#include "engine/chat_prompt.h"
#include "engine/engine.h"
#include "serve/batcher.h"
#include "serve/reply.h"

namespace micius {

struct ServiceOptions {
  std::string model;               // as answers and clients call it
  std::string embedder;            // the same for the model of vectors
  std::size_t most_requests = 64;  // at work or waiting; one more is refused
  std::string random_stream;       // of ids, and of seeds where a request has none
};

// Absent: the caller went away, nobody reads an answer.
using ServedAnswer = std::variant<std::monostate, Json, std::unique_ptr<EventStream>>;

// All may be called from any thread; all throw Refusal. Streams must have gone before the service goes.
class Service {
 public:
  // Borrows all; `embedder` may be null. The engine is the service's alone.
  Service(Engine& engine, Embedder* embedder, ServiceOptions options, const Clock& clock);

  Json models() const;
  ServedAnswer complete_chat(std::string_view body, const Caller& caller);
  ServedAnswer complete_text(std::string_view body, const Caller& caller);
  ServedAnswer embed(std::string_view body, const Caller& caller);

 private:
  AnswerHead new_head(ServedApi api);
  void check_model(const std::string& asked, const std::string& served) const;
  std::string chat_text(const std::vector<ChatMessage>& messages) const;
  ServedPrompt read_prompt(const TextOrIds& prompt) const;
  void check_room(const ServedPrompt& prompt, int max_tokens, const char* field) const;
  ServedAnswer answer(ReplyPlan plan, const Caller& caller);
  std::vector<GenerateJob> jobs_of(const ReplyPlan& plan);
  std::uint64_t random();

  Engine& engine_;
  Embedder* embedder_;
  const ServiceOptions options_;
  const Clock& clock_;
  const std::int64_t started_;  // seconds since 1970
  ChatPrompt chat_;
  std::mutex mutex_;  // of random_
  Rng random_;
  Batcher batcher_;
};

}  // namespace micius
