// `micius engine tokenize|logits|loglikelihood|generate|embed`: JSON lines in and out, in order.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/embed_lines.h"
#include "cli/flags.h"
#include "cli/line_server.h"
#include "cli/models.h"
#include "engine/chat_prompt.h"
#include "engine/encode.h"
#include "engine/engine.h"
#include "engine/model/source.h"

namespace micius {
namespace {

std::vector<TokenId> token_ids(const JsonFields& fields, std::string_view key) {
  const Json& value = fields.at(key);
  std::vector<TokenId> ids;
  const auto bad = [&] {
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be a list of token ids", fields.where(), key);
  };
  if (!value.is_array()) bad();
  for (const Json& id : value) {
    if (!id.is_number_integer() || id < 0 || id > std::numeric_limits<TokenId>::max()) bad();
    ids.push_back(id.get<TokenId>());
  }
  return ids;
}

double number_between(const JsonFields& fields, std::string_view key, double fallback, double low,
                      double high) {
  const double value = fields.number_or(key, fallback);
  if (value >= low && value <= high) return value;
  fail(ErrorCode::kInvalidData, "{}: field '{}' must be from {} to {}, not {}", fields.where(), key, low,
       high, value);
}

std::int64_t integer_between(const JsonFields& fields, std::string_view key, std::int64_t fallback,
                             std::int64_t low, std::int64_t high) {
  const std::int64_t value = fields.integer_or(key, fallback);
  if (value >= low && value <= high) return value;
  fail(ErrorCode::kInvalidData, "{}: field '{}' must be from {} to {}, not {}", fields.where(), key, low,
       high, value);
}

// Does the line ask with field `a`, or with `b`? It must have one of them.
bool asks_with(const JsonFields& fields, std::string_view a, std::string_view b) {
  if (fields.has(a) == fields.has(b)) {
    fail(ErrorCode::kInvalidData, "{}: give either field '{}' or field '{}'{}", fields.where(), a, b,
         fields.has(a) ? ", not both" : "");
  }
  return fields.has(a);
}

Asked ask_tokens(const Tokenizer& tokenizer, const JsonFields& fields) {
  fields.only({"text", "special", "ids"});
  const bool special = fields.boolean_or("special", false);
  const std::vector<TokenId> ids =
      asks_with(fields, "ids", "text")
          ? token_ids(fields, "ids")
          : tokenizer.encode(fields.string("text"), special ? SpecialText::kRecognised : SpecialText::kPlain);
  return {{{"ids", ids}, {"text", tokenizer.decode(ids, SpecialText::kRecognised)}}, std::nullopt, nullptr};
}

Asked ask_weight(const Tokenizer& tokenizer, const JsonFields& fields) {
  fields.only({"context", "continuation", "context_ids", "continuation_ids"});
  TokenPair pair;
  const bool by_ids = asks_with(fields, "context_ids", "context");
  asks_with(fields, "continuation_ids", "continuation");
  if (by_ids) {
    pair = {token_ids(fields, "context_ids"), token_ids(fields, "continuation_ids")};
  } else {
    auto encoded = encode_pair(tokenizer, fields.string("context"), fields.string("continuation"));
    if (const auto* failure = std::get_if<JobFailure>(&encoded)) {
      return failed(fmt::format("{}: {}: {}", fields.where(), failure->code, failure->message));
    }
    pair = std::move(std::get<TokenPair>(encoded));
  }
  return {nullptr, WeighJob{{std::move(pair)}}, [](const JobResult& result) -> Json {
            const TokenWeight& weight = result.weights.front();
            return {{"logprob", weight.logprob}, {"tokens", weight.tokens}, {"greedy", weight.greedy}};
          }};
}

Json top_logits(const std::vector<float>& logits, std::size_t count) {
  std::vector<TokenId> ids(logits.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<TokenId>(i);
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(count, ids.size()));
  std::partial_sort(ids.begin(), end, ids.end(), [&](TokenId a, TokenId b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  Json top = Json::array();
  for (auto it = ids.begin(); it != end; ++it) top.push_back(Json::array({*it, logits[*it]}));
  return top;
}

Asked ask_logits(const Engine& engine, const JsonFields& fields) {
  fields.only({"ids", "text", "top", "want"});
  LogitsJob job;
  job.ids = asks_with(fields, "ids", "text") ? token_ids(fields, "ids")
                                             : encode_prompt(engine.tokenizer(), fields.string("text"));
  const auto vocabulary = static_cast<std::int64_t>(engine.info().vocabulary);
  const std::int64_t top =
      integer_between(fields, "top", std::min<std::int64_t>(20, vocabulary), 0, vocabulary);
  const std::vector<TokenId> want = fields.has("want") ? token_ids(fields, "want") : std::vector<TokenId>{};
  for (const TokenId id : want) {
    if (id >= vocabulary) {
      fail(ErrorCode::kInvalidData, "{}: field 'want': token {} is not in the vocabulary of {}",
           fields.where(), id, vocabulary);
    }
  }
  return {nullptr, std::move(job), [top, want](const JobResult& result) -> Json {
            Json wanted = Json::array();
            for (const TokenId id : want) wanted.push_back(result.logits[id]);
            return {{"logsumexp", result.logsumexp},
                    {"top", top_logits(result.logits, static_cast<std::size_t>(top))},
                    {"want", std::move(wanted)}};
          }};
}

std::string role_of(const JsonFields& message) {
  static const std::vector<std::string> kRoles = {"system", "user", "assistant"};
  std::string role = message.string("role");
  if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
    fail(ErrorCode::kInvalidData,
         "{}: field 'role': unknown role '{}'{}; there are system, user and assistant", message.where(),
         shorten(role, 40), did_you_mean(role, kRoles));
  }
  return role;
}

std::vector<ChatMessage> messages_of(const JsonFields& fields) {
  std::vector<ChatMessage> messages;
  const Json& list = fields.at("messages");
  if (!list.is_array() || list.empty()) {
    fail(ErrorCode::kInvalidData, "{}: field 'messages' must be a list of at least one", fields.where());
  }
  for (const Json& item : list) {
    const JsonFields message(item, fmt::format("{}: messages[{}]", fields.where(), messages.size()));
    message.only({"role", "content"});
    messages.push_back({role_of(message), message.string("content")});
  }
  return messages;
}

Asked ask_text(const Engine& engine, const ChatPrompt& chat, const JsonFields& fields) {
  fields.only({"prompt", "messages", "temperature", "top_k", "top_p", "min_p", "seed", "stop", "max_tokens"});
  const std::string prompt =
      asks_with(fields, "messages", "prompt") ? chat.text(messages_of(fields)) : fields.string("prompt");
  GenerateJob job;
  job.prompt = encode_prompt(engine.tokenizer(), prompt);
  if (job.prompt.empty()) {
    if (const auto prefix = prefix_token(engine.tokenizer())) job.prompt.push_back(*prefix);
  }
  constexpr int kMost = std::numeric_limits<int>::max();
  job.max_tokens = static_cast<int>(integer_between(fields, "max_tokens", 256, 1, kMost));
  job.sampling.temperature = number_between(fields, "temperature", 0, 0, 1e6);
  job.sampling.top_k = static_cast<int>(integer_between(fields, "top_k", 0, 0, kMost));
  job.sampling.top_p = number_between(fields, "top_p", 1, 0, 1);
  job.sampling.min_p = number_between(fields, "min_p", 0, 0, 1);
  job.stream = fmt::format(
      "{}/sampling/", integer_between(fields, "seed", 1234, 0, std::numeric_limits<std::int64_t>::max()));
  const bool one_stop = fields.has("stop") && fields.at("stop").is_string();
  job.stop = one_stop ? std::vector{fields.string("stop")} : fields.strings_or("stop", {});
  return {nullptr, std::move(job), [](const JobResult& result) -> Json {
            return {{"text", result.text},
                    {"ids", result.ids},
                    {"stop_reason", result.stopped ? "stop" : "length"}};
          }};
}

ExitCode serve(Engine* engine, LineServer::Ask ask) {
  LineReader in(STDIN_FILENO);
  return LineServer(engine, std::move(ask)).run(in, std::cout);
}

class EngineCommand final : public Command {
 public:
  std::string name() const override { return "engine"; }
  std::string summary() const override { return "The engine alone: JSON lines in, JSON lines out"; }

  void define(Flags& flags) override {
    flags.require_verb();
    add_verb(flags, "tokenize", R"({"text", "special"} or {"ids"} to {"ids", "text"})",
             &EngineCommand::tokenize);
    add_verb(flags, "logits", R"({"ids"} or {"text"}, "top", "want" to {"logsumexp", "top", "want"})",
             &EngineCommand::logits);
    add_verb(flags, "loglikelihood",
             R"({"context", "continuation"} or both with _ids to {"logprob", "tokens", "greedy"})",
             &EngineCommand::loglikelihood);
    add_verb(flags, "generate", R"({"prompt"} or {"messages"} and options to {"text", "ids", "stop_reason"})",
             &EngineCommand::generate);
    Flags embed = flags.verb("embed", R"({"text"} to {"embedding"}, of length 1)",
                             [this] { verb_ = &EngineCommand::embed; });
    embed.add("--model", model_, "An encoder of the manifest, or its folder").required();
    add_model_dir_flag(embed, places_);
    add_encoder_flags(embed, flags_);
  }

  ExitCode run() override { return (this->*verb_)(); }

 private:
  using Verb = ExitCode (EngineCommand::*)();

  void add_verb(Flags& flags, const std::string& name, const std::string& summary, Verb verb) {
    Flags sub = flags.verb(name, summary, [this, verb] { verb_ = verb; });
    sub.add("--model", model_,
            "A model of the manifest, of the model folder, a GGUF file, or a folder with safetensors")
        .required();
    add_model_dir_flag(sub, places_);
    add_engine_flags(sub, flags_);
  }

  Engine open() const {
    ConsoleLog log(ConsoleLog::Level::kWarnings);
    return Engine(find_model_file(model_, places_), engine_options(flags_, &log));
  }

  ExitCode tokenize() {
    const Tokenizer tokenizer(open_source(find_model_file(model_, places_))->tokenizer());
    return serve(nullptr, [&](const JsonFields& fields) { return ask_tokens(tokenizer, fields); });
  }

  ExitCode logits() {
    Engine engine = open();
    return serve(&engine, [&](const JsonFields& fields) { return ask_logits(engine, fields); });
  }

  ExitCode loglikelihood() {
    Engine engine = open();
    return serve(&engine, [&](const JsonFields& fields) { return ask_weight(engine.tokenizer(), fields); });
  }

  ExitCode generate() {
    const std::filesystem::path path = find_model_file(model_, places_);
    Engine engine = open();
    const ChatPrompt chat(engine.chat_template(), path.filename().string(), engine.tokenizer());
    return serve(&engine, [&](const JsonFields& fields) { return ask_text(engine, chat, fields); });
  }

  ExitCode embed() {
    ConsoleLog log(ConsoleLog::Level::kWarnings);
    Encoder encoder(find_encoder_folder(model_, places_), encoder_options(flags_, &log));
    LineReader in(STDIN_FILENO);
    return embed_lines(encoder, in, std::cout);
  }

  std::string model_;
  PlaceFlags places_;
  EngineFlags flags_;
  Verb verb_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> make_engine_command() { return std::make_unique<EngineCommand>(); }

}  // namespace micius
