#include "runners/engine_runner.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "core/names.h"
#include "engine/chat_prompt.h"
#include "engine/encode.h"
#include "engine/split_choices.h"

namespace micius {
namespace {

class EngineRunner final : public Runner {
 public:
  EngineRunner(const std::filesystem::path& model, const std::string& name, const EngineOptions& options,
               const Clock& clock)
      : engine_(model, options),
        chat_(engine_.chat_template(), model.filename().string(), engine_.tokenizer()),
        clock_(&clock) {
    const EngineInfo& engine = engine_.info();
    info_.name = name;
    info_.kind = "engine";
    info_.splits = true;
    info_.max_in_flight *= engine.replicas;
    info_.sha256 = engine_.sha256();
    info_.chat_template = chat_.has_template();
    info_.options["numerics"] = numerics_name(options.numerics);
    if (options.selection.top > 0) info_.options["selective_v"] = selection_name(options.selection);
    info_.environment = {{"cpu", cpu_name()}, {"isa", isa_name(engine.isa)}, {"threads", engine.threads}};
    if (engine.gpu) info_.environment["gpu"] = *engine.gpu;
    if (engine.matrix_library) info_.environment["matrix_library"] = *engine.matrix_library;
    worker_ = std::thread([this] { work(); });
  }

  ~EngineRunner() override {
    cancel();
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    worker_.join();
  }

  const RunnerInfo& info() const override { return info_; }

  void submit(std::vector<Request> requests, CompletionSink& sink) override {
    {
      const std::lock_guard lock(mutex_);
      open_ += requests.size();
      for (Request& request : requests) submitted_.push_back({std::move(request), &sink, clock_->now()});
    }
    wake_.notify_all();
  }

  void drain() override {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return open_ == 0; });
  }

  void cancel() override {
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    wake_.notify_all();
  }

 private:
  struct Submitted {
    Request request;
    CompletionSink* sink;
    Clock::time_point sent;
  };
  // A request whose job the engine has.
  struct Active {
    Completion completion;
    CompletionSink* sink;
  };

  void work() {
    while (true) {
      std::vector<Submitted> requests;
      bool cancelled = false;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || cancelled_ || !submitted_.empty() || !active_.empty(); });
        if (stopping_ && submitted_.empty() && active_.empty()) return;
        requests = std::exchange(submitted_, {});
        cancelled = std::exchange(cancelled_, false);
      }
      if (cancelled) {
        for (const auto& [id, active] : active_) engine_.cancel(id);
        fail_all(std::move(requests), {"cancelled", "the run was stopped"});
        continue;
      }
      try {
        for (Submitted& request : requests) begin(request);
        requests.clear();
        if (!active_.empty()) report(engine_.step());
      } catch (const std::exception& error) {  // out of memory: what the engine holds is lost
        for (const auto& [id, active] : active_) engine_.cancel(id);
        fail_all(std::move(requests), {"engine", error.what()});
      }
    }
  }

  // Gives the request's job to the engine, or ends it here.
  void begin(Submitted& submitted) {
    Active active{{}, submitted.sink};
    active.completion.id = submitted.request.id;
    active.completion.timing.planned = active.completion.timing.sent = submitted.sent;
    std::variant<Job, Failure> job = Failure{};
    try {
      const auto make = [&](const auto& input) {
        return make_job(input, submitted.request, active.completion);
      };
      job = std::visit(make, submitted.request.prompt.input);
    } catch (const ChatTemplateError& error) {  // a template may refuse a conversation: this one's failure
      job = Failure{"chat_template", error.what()};
    }
    if (auto* failure = std::get_if<Failure>(&job)) {
      submitted.sink = nullptr;
      return end(std::move(active), *failure);
    }
    active_.emplace(engine_.add(std::move(std::get<Job>(job))), std::move(active));
    submitted.sink = nullptr;  // only now: what add() throws ends the request as well
  }

  std::variant<Job, Failure> make_job(const GenerateInput& input, const Request& request,
                                      Completion& completion) const {
    const GenerateOptions& options = request.options;
    GenerateJob job;
    std::string text = request.style == PromptStyle::kText ? plain_text(chat_messages(input.messages))
                                                           : chat_.text(chat_messages(input.messages));
    job.prompt = encode_prompt(engine_.tokenizer(), text);
    job.max_tokens = options.max_tokens;
    const std::size_t cut = cut_to_fit(job, engine_.info().context);
    completion.cut_tokens = static_cast<int>(cut);
    completion.prompt_text =
        cut == 0 ? std::move(text) : engine_.tokenizer().decode(job.prompt, SpecialText::kRecognised);
    if (job.prompt.empty()) {
      if (const auto prefix = prefix_token(engine_.tokenizer())) job.prompt.push_back(*prefix);
    }
    job.sampling = {options.temperature, options.top_k, options.top_p, options.min_p};
    job.stop = options.stop;
    job.stream = fmt::format("{}/sampling/{}", options.seed, options.stream);
    return Job(std::move(job));
  }

  std::variant<Job, Failure> make_job(const LikelihoodInput& input, const Request&,
                                      Completion& completion) const {
    if (input.is_chat() && !chat_.has_template()) {
      return Failure{"no_chat_template", "the prompt is a conversation and the model has no chat template"};
    }
    std::string before;
    if (!input.messages.empty() && !input.asks_own_questions())
      before = completion.prompt_text = chat_.text(chat_messages(input.messages));
    if (input.split != PairSplit::kContext) return split_job(input, completion);
    WeighJob job;
    for (const Pair& pair : input.pairs) {
      if (input.asks_own_questions()) {
        before = chat_.text(chat_messages(with_question(input.messages, pair.question)));
        if (!job.pairs.empty()) completion.prompt_text += kPromptTextSeparator;
        completion.prompt_text += before;
      }
      auto tokens = encode_pair(engine_.tokenizer(), before + pair.context, pair.continuation);
      if (auto* failure = std::get_if<JobFailure>(&tokens)) return Failure{failure->code, failure->message};
      auto& fitting = std::get<TokenPair>(tokens);
      const std::size_t cut = cut_to_fit(fitting, engine_.info().context);
      completion.cut_tokens = std::max(completion.cut_tokens, static_cast<int>(cut));
      job.pairs.push_back(std::move(fitting));
    }
    return Job(std::move(job));
  }

  // Without a template: llama.cpp's scoring knows none.
  std::variant<Job, Failure> split_job(const LikelihoodInput& input, Completion& completion) const {
    std::vector<ChoiceTokens> choices;
    for (const Pair& pair : input.pairs) {
      choices.push_back({encode_prompt(engine_.tokenizer(), pair.context + pair.continuation),
                         encode_prompt(engine_.tokenizer(), pair.context).size()});
    }
    WeighJob job;
    job.pairs =
        input.split == PairSplit::kTrailing ? split_trailing(choices) : split_at_common_prefix(choices);
    for (TokenPair& pair : job.pairs) {
      if (pair.continuation.empty()) return Failure{"empty_continuation", "a choice has no token of its own"};
      if (const auto prefix = prefix_token(engine_.tokenizer()); pair.context.empty() && prefix)
        pair.context.push_back(*prefix);
      const std::size_t cut = cut_to_fit(pair, engine_.info().context);
      completion.cut_tokens = std::max(completion.cut_tokens, static_cast<int>(cut));
    }
    return Job(std::move(job));
  }

  static std::vector<Message> with_question(std::vector<Message> messages, const std::string& question) {
    messages.push_back({Role::kUser, question});
    return messages;
  }

  static std::vector<ChatMessage> chat_messages(const std::vector<Message>& messages) {
    std::vector<ChatMessage> chat;
    for (const Message& message : messages) {
      chat.push_back({std::string(name_of(message.role)), message.content});
    }
    return chat;
  }

  void report(StepResult step) {
    for (const JobId id : step.first_tokens) {
      const auto it = active_.find(id);
      it->second.completion.timing.first_token = clock_->now();
      it->second.sink->on_first_token(it->second.completion.id, *it->second.completion.timing.first_token);
    }
    for (JobResult& result : step.finished) {
      Active active = std::move(active_.extract(result.id).mapped());
      if (result.failure) {
        end(std::move(active), Failure{result.failure->code, result.failure->message});
        continue;
      }
      Completion& completion = active.completion;
      completion.prompt_tokens = static_cast<int>(result.prompt_tokens);
      completion.work = {result.work.forwarded, result.work.naive};
      completion.completion_tokens = static_cast<int>(result.ids.size());
      for (const TokenWeight& weight : result.weights) {
        completion.likelihoods.push_back({weight.logprob, weight.tokens, weight.greedy});
        completion.completion_tokens += weight.tokens;
      }
      completion.text = std::move(result.text);
      const bool cut = result.weights.empty() && !result.stopped;
      completion.stop_reason = cut ? StopReason::kLength : StopReason::kStop;
      end(std::move(active), std::nullopt);
    }
  }

  void fail_all(std::vector<Submitted> requests, const Failure& failure) {
    for (auto& [id, active] : std::exchange(active_, {})) end(std::move(active), failure);
    for (Submitted& submitted : requests) {
      if (submitted.sink == nullptr) continue;  // it became active or has ended
      Active active{{}, submitted.sink};
      active.completion.id = submitted.request.id;
      active.completion.timing.planned = active.completion.timing.sent = submitted.sent;
      end(std::move(active), failure);
    }
  }

  void end(Active active, std::optional<Failure> failure) {
    active.completion.timing.done = clock_->now();
    if (failure) active.completion.stop_reason = StopReason::kFailed;
    active.completion.failure = std::move(failure);
    active.sink->on_done(std::move(active.completion));
    const std::lock_guard lock(mutex_);
    if (--open_ == 0) ended_.notify_all();
  }

  RunnerInfo info_;
  Engine engine_;  // of the worker, but for what never changes
  ChatPrompt chat_;
  const Clock* clock_;

  std::mutex mutex_;
  std::condition_variable wake_, ended_;
  std::vector<Submitted> submitted_;
  std::size_t open_ = 0;  // requests that have not ended
  bool cancelled_ = false, stopping_ = false;

  std::map<JobId, Active> active_;  // of the worker alone
  std::thread worker_;
};

}  // namespace

std::unique_ptr<Runner> make_engine_runner(const std::filesystem::path& model, const std::string& name,
                                           const EngineOptions& options, const Clock& clock) {
  return std::make_unique<EngineRunner>(model, name, options, clock);
}

}  // namespace micius
