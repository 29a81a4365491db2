#include "pipeline/two_turn_quiz.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace micius {

Task two_turn_quiz(std::size_t prompt_bytes) {
  Task task;
  task.name = "two_turn_quiz";
  task.suite = "user";
  task.scorer = {"quiz"};
  task.options.max_tokens = 64;
  task.turn_max_tokens = {32, 16};
  task.metrics = {{"acc"}, {"first"}};
  task.breakdowns = {"group"};
  task.prepare = [](Sample sample) {
    sample.targets = {sample.id.substr(1)};
    return sample;
  };
  task.next = [prompt_bytes](const Sample& sample, std::span<const Sample> shots,
                             std::span<const Turn> turns) -> std::optional<Prompt> {
    if (turns.size() == 2) return std::nullopt;
    std::vector<Message> messages;
    for (const Sample& shot : shots) messages.push_back({Role::kUser, shot.input});
    messages.push_back({Role::kUser, std::string(prompt_bytes, '.') + sample.input});
    if (turns.size() == 1) {
      messages.push_back({Role::kAssistant, turns[0].completion.text});
      messages.push_back({Role::kUser, "Sure? " + turns[0].observation});
    }
    return Prompt{sample.id, GenerateInput{std::move(messages)}};
  };
  task.reference = [](const Sample& sample, std::span<const Turn> turns) {
    return sample.targets.front() + std::string(turns.size(), '!');
  };
  return task;
}

MemoryDataset quiz_dataset(std::size_t samples) {
  std::vector<Sample> rows;
  for (std::size_t i = 0; i < samples; ++i) {
    Sample sample;
    sample.id = fmt::format("q{}", i);
    sample.input = fmt::format("Which number is {}?", i);
    sample.extra = {{"group", i % 2 == 0 ? "even" : "odd"}};
    rows.push_back(std::move(sample));
  }
  return {"quiz.jsonl", std::move(rows)};
}

Task choice_quiz() {
  Task task = two_turn_quiz();
  task.name = "choice_quiz";
  task.prepare = [](Sample sample) {
    sample.targets = {"x"};
    sample.choices = {"x", "y", "z"};
    sample.extra["gold"] = std::stoi(sample.id.substr(1)) % 3;
    return sample;
  };
  task.next = [](const Sample& sample, std::span<const Sample>,
                 std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty()) return std::nullopt;
    LikelihoodInput input;
    for (const std::string& choice : sample.choices) input.pairs.push_back({sample.input, " " + choice});
    return Prompt{sample.id, std::move(input)};
  };
  return task;
}

Score QuizScorer::score(const Sample& sample, std::span<const Turn> turns) const {
  if (std::holds_alternative<LikelihoodInput>(turns[0].prompt.input)) {
    const std::vector<Likelihood>& weights = turns[0].completion.likelihoods;
    if (weights.empty()) return {Verdict::kNoAnswer, {{"acc", 0}}, "", "no likelihoods"};
    const bool right = weights[sample.extra.at("gold").get<std::size_t>()].greedy;
    return {right ? Verdict::kCorrect : Verdict::kIncorrect, {{"acc", right ? 1.0 : 0.0}}, "", "greedy"};
  }
  const bool first = turns[0].completion.text == sample.targets[0];
  const bool right = first && turns.size() == 2 && turns[1].completion.text == sample.targets[0] + "!";
  return {right ? Verdict::kCorrect : Verdict::kIncorrect,
          {{"acc", right ? 1.0 : 0.0}, {"first", first ? 1.0 : 0.0}},
          turns.back().completion.text,
          right ? "both turns equal" : "not equal"};
}

std::string QuizScorer::observe(const Sample&, std::span<const Turn> turns) const {
  return fmt::format(R"({{"turns": {}}})", turns.size());
}

CrowdRunner::CrowdRunner(Answer answer, std::chrono::microseconds pause)
    : answer_(std::move(answer)), pause_(pause) {
  info_.name = info_.kind = "crowd";
  info_.max_in_flight = 8;
  for (int i = 0; i < 3; ++i) threads_.emplace_back([this] { work(); });
}

CrowdRunner::~CrowdRunner() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void CrowdRunner::submit(std::vector<Request> requests, CompletionSink& sink) {
  {
    const std::lock_guard lock(mutex_);
    for (Request& request : requests) {
      requests_.push_back(request);
      waiting_.emplace_back(std::move(request), &sink);
    }
    most_at_once_ = std::max(most_at_once_, waiting_.size() + busy_);
  }
  changed_.notify_all();
}

void CrowdRunner::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    std::swap(waiting_[random_() % waiting_.size()], waiting_.back());
    const auto [request, sink] = std::move(waiting_.back());
    waiting_.pop_back();
    ++busy_;
    lock.unlock();
    if (pause_.count() > 0) std::this_thread::sleep_for(pause_);
    Completion completion = answer_(request);
    completion.id = request.id;
    sink->on_first_token(request.id, {});
    lock.lock();
    // The runner counts the request as ended first, as a real one may.
    --busy_;
    sink->on_done(std::move(completion));
    changed_.notify_all();
  }
}

void CrowdRunner::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && busy_ == 0; });
}

void CrowdRunner::cancel() {
  const std::lock_guard lock(mutex_);
  for (auto& [request, sink] : waiting_) {
    Completion completion = failing("cancelled");
    completion.id = request.id;
    sink->on_done(std::move(completion));
  }
  waiting_.clear();
  changed_.notify_all();
}

std::map<CrowdRunner::Key, int> CrowdRunner::asked() const {
  const std::lock_guard lock(mutex_);
  std::map<Key, int> asked;
  for (const Request& r : requests_) ++asked[{r.prompt.sample_id, r.repeat, r.turn}];
  return asked;
}

std::size_t CrowdRunner::most_at_once() const {
  const std::lock_guard lock(mutex_);
  return most_at_once_;
}

std::vector<Request> CrowdRunner::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

Completion mostly_right(const Request& request) {
  Completion completion;
  const bool wrong = request.prompt.sample_id.back() == '7';
  completion.text = wrong ? "?" : request.reference;
  completion.prompt_tokens = 10;
  completion.completion_tokens = 2;
  return completion;
}

Completion failing(const std::string& code) {
  Completion completion;
  completion.stop_reason = StopReason::kFailed;
  completion.failure = Failure{code, "as the test asked", 3};
  return completion;
}

}  // namespace micius
