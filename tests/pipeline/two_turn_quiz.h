// A task, its scorer and runners to evaluate it with.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "core/runner.h"
#include "core/scorer.h"
#include "core/task.h"
#include "memory_dataset.h"

namespace micius {

// Asks, shows the answer, asks once more. The answer to the first turn of sample "q3" is "3", to the second
// "3!". Prompts have `prompt_bytes` bytes and more.
Task two_turn_quiz(std::size_t prompt_bytes = 0);
// Samples "q0", "q1", .. in the groups "even" and "odd".
MemoryDataset quiz_dataset(std::size_t samples);

// A likelihood prompt with three choices; the right one is the sample's number modulo 3.
Task choice_quiz();

// acc: both turns are right, first: the first one is. Observes how many turns there were.
class QuizScorer final : public Scorer {
 public:
  std::string_view name() const override { return "quiz"; }
  Score score(const Sample& sample, std::span<const Turn> turns) const override;
  std::string observe(const Sample& sample, std::span<const Turn> turns) const override;
};

// Answers from three threads, in an order that differs each time. Sees how often what was asked.
class CrowdRunner final : public Runner {
 public:
  using Answer = std::function<Completion(const Request&)>;
  using Key = std::tuple<std::string, int, std::size_t>;  // sample, repeat, turn

  // `pause` is slept before each answer.
  explicit CrowdRunner(Answer answer, std::chrono::microseconds pause = {});
  ~CrowdRunner() override;
  const RunnerInfo& info() const override { return info_; }
  void submit(std::vector<Request> requests, CompletionSink& sink) override;
  void drain() override;
  void cancel() override;

  void ask_at(const std::string& url) { info_.url = url; }  // as if it were a server
  std::map<Key, int> asked() const;
  std::size_t most_at_once() const;
  std::vector<Request> requests() const;  // as submitted

 private:
  void work();

  Answer answer_;
  std::chrono::microseconds pause_;
  RunnerInfo info_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<Request, CompletionSink*>> waiting_;
  std::size_t busy_ = 0, most_at_once_ = 0;
  bool ending_ = false;
  std::vector<Request> requests_;
  std::mt19937 random_{std::random_device{}()};
  std::vector<std::thread> threads_;
};

// What most tests answer: the reference, but "?" for samples that end in 7.
Completion mostly_right(const Request& request);
Completion failing(const std::string& code);

}  // namespace micius
