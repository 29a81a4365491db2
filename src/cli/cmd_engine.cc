// `micius engine tokenize|logits|loglikelihood|generate`: JSON lines in and out, in order.
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/models.h"
#include "engine/chat_prompt.h"
#include "engine/encode.h"
#include "engine/engine.h"
#include "engine/gguf.h"
#include "engine/gguf_tokenizer.h"

namespace micius {
namespace {

constexpr std::size_t kReadAhead = 1024;  // lines that are read and not answered
constexpr std::size_t kJobs = 128;        // of those, jobs in the engine

// Reads lines in a thread of its own, so that what is there is answered while more may come.
class LineReader {
 public:
  explicit LineReader(std::istream& in) : thread_([this, &in] { read(in); }) {}
  ~LineReader() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  // The next line. Absent: there is none now or, where `wait` says so, none any more.
  enum class Wait { kNo, kYes };
  std::optional<std::string> next(Wait wait) {
    std::unique_lock lock(mutex_);
    if (wait == Wait::kYes) changed_.wait(lock, [&] { return ended_ || !lines_.empty(); });
    if (lines_.empty()) return std::nullopt;
    std::string line = std::move(lines_.front());
    lines_.pop_front();
    changed_.notify_all();
    return line;
  }

 private:
  void read(std::istream& in) {
    std::string line;
    while (std::getline(in, line)) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopped_ || lines_.size() < kReadAhead; });
      if (stopped_) return;
      lines_.push_back(std::move(line));
      changed_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  bool ended_ = false, stopped_ = false;
  std::thread thread_;
};

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

int integer_between(const JsonFields& fields, std::string_view key, int fallback, int low, int high) {
  const std::int64_t value = fields.integer_or(key, fallback);
  if (value >= low && value <= high) return static_cast<int>(value);
  fail(ErrorCode::kInvalidData, "{}: field '{}' must be from {} to {}, not {}", fields.where(), key, low,
       high, value);
}

// What one line asks: its answer, or the job that gives it.
struct Asked {
  Json answer;
  std::optional<Job> job;
  std::function<Json(const JobResult&)> answer_of;
};

Asked failed(std::string message) { return {{{"error", std::move(message)}}, std::nullopt, nullptr}; }

Asked ask_tokens(const Tokenizer& tokenizer, const JsonFields& fields) {
  fields.only({"text", "special", "ids"});
  const bool special = fields.boolean_or("special", false);
  const std::vector<TokenId> ids =
      fields.has("ids")
          ? token_ids(fields, "ids")
          : tokenizer.encode(fields.string("text"), special ? SpecialText::kRecognised : SpecialText::kPlain);
  return {{{"ids", ids}, {"text", tokenizer.decode(ids, SpecialText::kRecognised)}}, std::nullopt, nullptr};
}

Asked ask_weight(const Tokenizer& tokenizer, const JsonFields& fields) {
  fields.only({"context", "continuation", "context_ids", "continuation_ids"});
  TokenPair pair;
  if (fields.has("context_ids")) {
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
  job.ids =
      fields.has("ids") ? token_ids(fields, "ids") : encode_prompt(engine.tokenizer(), fields.string("text"));
  const int vocabulary = static_cast<int>(engine.info().vocabulary);
  const int top = integer_between(fields, "top", 20, 0, vocabulary);
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

std::vector<ChatMessage> messages_of(const JsonFields& fields) {
  std::vector<ChatMessage> messages;
  const Json& list = fields.at("messages");
  if (!list.is_array()) fail(ErrorCode::kInvalidData, "{}: field 'messages' must be a list", fields.where());
  for (const Json& item : list) {
    const JsonFields message(item, fields.where() + ": field 'messages'");
    message.only({"role", "content"});
    messages.push_back({message.string("role"), message.string("content")});
  }
  return messages;
}

Asked ask_text(const Engine& engine, const ChatPrompt& chat, const JsonFields& fields) {
  fields.only({"prompt", "messages", "temperature", "top_k", "top_p", "min_p", "seed", "stop", "max_tokens"});
  const std::string prompt =
      fields.has("messages") ? chat.text(messages_of(fields)) : fields.string("prompt");
  GenerateJob job;
  job.prompt = encode_prompt(engine.tokenizer(), prompt);
  if (job.prompt.empty()) {
    if (const auto prefix = prefix_token(engine.tokenizer())) job.prompt.push_back(*prefix);
  }
  constexpr int kMost = std::numeric_limits<int>::max();
  job.max_tokens = integer_between(fields, "max_tokens", 256, 1, kMost);
  job.sampling.temperature = number_between(fields, "temperature", 0, 0, 1e6);
  job.sampling.top_k = integer_between(fields, "top_k", 0, 0, kMost);
  job.sampling.top_p = number_between(fields, "top_p", 1, 0, 1);
  job.sampling.min_p = number_between(fields, "min_p", 0, 0, 1);
  job.stream = fmt::format("{}/sampling/", fields.integer_or("seed", 1234));
  const bool one_stop = fields.has("stop") && fields.at("stop").is_string();
  job.stop = one_stop ? std::vector{fields.string("stop")} : fields.strings_or("stop", {});
  return {nullptr, std::move(job), [](const JobResult& result) -> Json {
            return {{"text", result.text},
                    {"ids", result.ids},
                    {"stop_reason", result.stopped ? "stop" : "length"}};
          }};
}

// Answers lines in order; several are in the engine at a time.
class LineServer {
 public:
  using Ask = std::function<Asked(const JsonFields&)>;
  LineServer(Engine* engine, Ask ask) : engine_(engine), ask_(std::move(ask)) {}

  ExitCode run() {
    LineReader reader(std::cin);
    while (true) {
      const bool idle = lines_.empty();
      if (idle) std::cout.flush();
      const auto line = jobs_.size() < kJobs && lines_.size() < kReadAhead
                            ? reader.next(idle ? LineReader::Wait::kYes : LineReader::Wait::kNo)
                            : std::nullopt;
      if (line) {
        take(*line);
      } else if (idle) {
        break;
      } else {
        step();
        std::cout.flush();
      }
      print();
    }
    return failed_ ? ExitCode::kFailed : ExitCode::kGood;
  }

 private:
  struct Line {
    std::size_t number;
    bool answered = false;
    Json answer;
    std::function<Json(const JobResult&)> answer_of;
  };

  void take(const std::string& text) {
    Line& line = lines_.emplace_back();
    line.number = ++count_;
    const std::string where = fmt::format("line {}", line.number);
    Asked asked;
    try {  // a bad line is an answer of its own
      const Json json = parse_json(text, where);
      asked = ask_(JsonFields(json, where));
    } catch (const Error& error) {
      const std::string message = error.what();
      asked = failed(message.rfind("line ", 0) == 0 ? message : where + ": " + message);
    }
    if (asked.job) {
      line.answer_of = std::move(asked.answer_of);
      jobs_[engine_->add(std::move(*asked.job))] = &line;
    } else {
      answer(line, std::move(asked.answer));
    }
  }

  void step() {
    for (const JobResult& result : engine_->step().finished) {
      Line& line = *jobs_.extract(result.id).mapped();
      answer(line, result.failure
                       ? Json{{"error", fmt::format("line {}: {}: {}", line.number, result.failure->code,
                                                    result.failure->message)}}
                       : line.answer_of(result));
    }
  }

  void answer(Line& line, Json value) {
    failed_ = failed_ || value.contains("error");
    line.answer = std::move(value);
    line.answered = true;
  }

  void print() {
    for (; !lines_.empty() && lines_.front().answered; lines_.pop_front()) {
      std::cout << dump_json(lines_.front().answer) << '\n';
    }
  }

  Engine* engine_;  // null: no line makes a job
  Ask ask_;
  std::deque<Line> lines_;  // read and not printed; elements stay in place
  std::map<JobId, Line*> jobs_;
  std::size_t count_ = 0;
  bool failed_ = false;
};

class EngineCommand final : public Command {
 public:
  std::string name() const override { return "engine"; }
  std::string summary() const override { return "The engine alone: JSON lines in, JSON lines out"; }

  void define(CLI::App& app) override {
    app.require_subcommand(1);
    add_verb(app, "tokenize", R"({"text", "special"} or {"ids"} to {"ids", "text"})",
             &EngineCommand::tokenize);
    add_verb(app, "logits", R"({"ids"} or {"text"}, "top", "want" to {"logsumexp", "top", "want"})",
             &EngineCommand::logits);
    add_verb(app, "loglikelihood",
             R"({"context", "continuation"} or both with _ids to {"logprob", "tokens", "greedy"})",
             &EngineCommand::loglikelihood);
    add_verb(app, "generate", R"({"prompt"} or {"messages"} and options to {"text", "ids", "stop_reason"})",
             &EngineCommand::generate);
  }

  ExitCode run() override { return (this->*verb_)(); }

 private:
  using Verb = ExitCode (EngineCommand::*)();

  void add_verb(CLI::App& app, const std::string& name, const std::string& summary, Verb verb) {
    CLI::App* sub = app.add_subcommand(name, summary);
    sub->add_option("--model", model_, "A model of the manifest, of the model folder, or a GGUF file")
        ->required();
    add_model_dir_flag(*sub, places_);
    add_engine_flags(*sub, flags_);
    sub->callback([this, verb] { verb_ = verb; });
  }

  ExitCode tokenize() {
    const GgufFile file(find_model_file(model_, places_));
    const Tokenizer tokenizer(tokenizer_data_from(file));
    return LineServer(nullptr, [&](const JsonFields& fields) { return ask_tokens(tokenizer, fields); }).run();
  }

  ExitCode logits() {
    Engine engine(find_model_file(model_, places_), engine_options(flags_));
    return LineServer(&engine, [&](const JsonFields& fields) { return ask_logits(engine, fields); }).run();
  }

  ExitCode loglikelihood() {
    Engine engine(find_model_file(model_, places_), engine_options(flags_));
    return LineServer(&engine,
                      [&](const JsonFields& fields) { return ask_weight(engine.tokenizer(), fields); })
        .run();
  }

  ExitCode generate() {
    const std::filesystem::path path = find_model_file(model_, places_);
    Engine engine(path, engine_options(flags_));
    const ChatPrompt chat(engine.chat_template(), path.filename().string(), engine.tokenizer());
    return LineServer(&engine, [&](const JsonFields& fields) { return ask_text(engine, chat, fields); })
        .run();
  }

  std::string model_;
  PlaceFlags places_;
  EngineFlags flags_;
  Verb verb_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> make_engine_command() { return std::make_unique<EngineCommand>(); }

}  // namespace micius
