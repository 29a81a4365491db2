#include "pipeline/invariance.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/rng.h"
#include "pipeline/judge.h"
#include "pipeline/request.h"

namespace micius {
namespace {

constexpr std::size_t kAtOnce = 512;  // answers held
constexpr std::size_t kNamed = 5;     // differences

std::string difference(const Likelihood& before, const Likelihood& now) {
  if (before.logprob != now.logprob) return fmt::format("{} before, {} now", before.logprob, now.logprob);
  if (before.tokens != now.tokens) return fmt::format("{} tokens before, {} now", before.tokens, now.tokens);
  return before.greedy ? "the likeliest before, not now" : "not the likeliest before, but now";
}

// What differs first, or "".
std::string difference(const Completion& before, const Completion& now) {
  if (now.failure) return fmt::format("failed: {}: {}", now.failure->code, now.failure->message);
  if (before.likelihoods.size() != now.likelihoods.size()) return "another number of choices";
  for (std::size_t i = 0; i < before.likelihoods.size(); ++i) {
    if (before.likelihoods[i] != now.likelihoods[i])
      return fmt::format("choice {}: {}", i, difference(before.likelihoods[i], now.likelihoods[i]));
  }
  if (before.text != now.text) {
    const auto at = std::mismatch(before.text.begin(), before.text.end(), now.text.begin(), now.text.end());
    return fmt::format("another text from byte {} on", at.first - before.text.begin());
  }
  if (before.stop_reason != now.stop_reason) return "ended for another reason";
  if (before.completion_tokens != now.completion_tokens) return "another number of tokens";
  return "";
}

struct Stored {
  std::string sample_id;
  int repeat;
  std::size_t turn;
  Prompt prompt;
  Completion completion;
};

class Answers final : public CompletionSink {
 public:
  explicit Answers(std::size_t n) : completions_(n) {}
  void on_first_token(RequestId, Clock::time_point) override {}
  void on_done(Completion completion) override {
    const auto index = static_cast<std::size_t>(completion.id);
    const std::lock_guard lock(mutex_);
    completions_.at(index) = checked(std::move(completion));
  }
  const Completion& at(std::size_t i) const { return completions_[i]; }  // after drain()

 private:
  std::mutex mutex_;
  std::vector<Completion> completions_;
};

class Asker {
 public:
  Asker(const RunSpec& spec, Runner& runner, AskOrder order, std::stop_token stop)
      : spec_(spec), runner_(runner), order_(order), stop_(std::move(stop)) {}

  void add(const Record& record) {
    for (std::size_t turn = 0; turn < record.turns.size(); ++turn) {
      const auto& [prompt, completion, observation] = record.turns[turn];
      if (completion.failure) {
        ++result_.failed;
        continue;
      }
      stored_.push_back({record.sample.id, record.repeat, turn, prompt, completion});
    }
    if (stored_.size() >= kAtOnce) ask();
  }

  void ask() {
    const std::vector<Stored> stored = std::exchange(stored_, {});
    if (stop_.stop_requested()) result_.interrupted = true;
    if (stored.empty() || result_.interrupted) return;
    std::vector<Request> requests;
    for (const std::size_t i : order_of(stored.size())) {
      requests.push_back(make_request(spec_, stored[i].prompt, stored[i].repeat, stored[i].turn));
      requests.back().id = RequestId{i};
    }
    Answers answers(stored.size());
    {
      const std::stop_callback cancel(stop_, [this] { runner_.cancel(); });
      runner_.submit(std::move(requests), answers);
      runner_.drain();
    }
    for (std::size_t i = 0; i < stored.size(); ++i) compare(stored[i], answers.at(i));
  }

  AskedAgain result() && { return std::move(result_); }

 private:
  std::vector<std::size_t> order_of(std::size_t n) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (order_ == AskOrder::kBackwards) std::reverse(order.begin(), order.end());
    if (order_ == AskOrder::kShuffled) rng_.shuffle(order);
    return order;
  }

  void compare(const Stored& stored, const Completion& now) {
    if (now.failure && stop_.stop_requested()) {
      result_.interrupted = true;
      return;
    }
    ++result_.answers;
    std::string what = difference(stored.completion, now);
    if (what.empty()) {
      ++result_.equal;
    } else if (result_.differences.size() < kNamed) {
      result_.differences.push_back({stored.sample_id, stored.repeat, stored.turn, std::move(what)});
    }
  }

  const RunSpec& spec_;
  Runner& runner_;
  AskOrder order_;
  std::stop_token stop_;
  Rng rng_{"invariance/order"};
  std::vector<Stored> stored_;
  AskedAgain result_;
};

}  // namespace

AskedAgain ask_again(const Store& store, RunId run, Runner& runner, AskOrder order, std::stop_token stop) {
  const RunSpec spec = store.run(run).spec;
  Asker asker(spec, runner, order, std::move(stop));
  store.for_each(run, [&](const Record& record) { asker.add(record); });
  asker.ask();
  return std::move(asker).result();
}

}  // namespace micius
