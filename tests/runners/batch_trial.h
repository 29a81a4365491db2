// A runner of batches, its ledger and a provider that plays the API's part, for tests.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "runners/api_trial.h"
#include "runners/batch_mock.h"
#include "runners/batch_runner.h"
#include "temp_dir.h"

namespace micius {

// A ledger that outlives its runners, as a database does, and serves the threads of several.
class MemoryLedger final : public BatchLedger {
 public:
  std::vector<SentBatch> sent() const override {
    const std::lock_guard lock(mutex_);
    check();
    std::vector<SentBatch> open;
    for (const SentBatch& batch : batches)
      if (!batch.questions.empty()) open.push_back(batch);
    return open;
  }
  std::int64_t add(const std::string& token, const std::vector<std::string>& questions) override {
    const std::lock_guard lock(mutex_);
    check();
    SentBatch batch;
    batch.ref = static_cast<std::int64_t>(batches.size() + 1);
    batch.token = token;
    batch.sent_at = format_utc(kClock.utc());
    batch.requests = questions.size();
    batch.questions = questions;
    batches.push_back(batch);
    return batch.ref;
  }
  void name(std::int64_t ref, const std::string& batch_id) override {
    const std::lock_guard lock(mutex_);
    check();
    at(ref).batch_id = batch_id;
  }
  void forget(std::int64_t ref, const std::vector<std::string>& questions) override {
    const std::lock_guard lock(mutex_);
    check();
    ++forgotten;
    for (const std::string& question : questions) std::erase(at(ref).questions, question);
  }
  SentBatch& at(std::int64_t ref) { return batches.at(static_cast<std::size_t>(ref - 1)); }

  std::vector<SentBatch> batches;
  std::size_t forgotten = 0;                        // how often
  mutable std::atomic<int> good_calls = 1'000'000;  // then another process locks it

 private:
  void check() const {
    if (good_calls-- <= 0) fail(ErrorCode::kIo, "run.db: database is locked");
  }

  mutable std::mutex mutex_;
};

inline const std::vector<ApiKind> kBatchKinds = {ApiKind::kOpenAi, ApiKind::kAnthropic};

inline Prices half_price(const BatchMock& mock) {
  const TempDir folder;
  const auto file = folder.path() / "prices.json";
  std::ofstream out(file);
  out << R"({"micius_prices": 1, "prices": [)";
  for (const char* provider : {"openai", "anthropic"}) {
    out << R"({"provider": ")" << provider << R"(", "url": ")" << mock.root()
        << R"(", "model": "tiny", "from": "2024-01-01", "input": "1.00", "output": "2.00", "batch_factor": "0.5"})"
        << (std::string(provider) == "openai" ? "," : "]}");
  }
  out.close();
  return Prices::read(file);
}

// One process at a run.
struct BatchTrial {
  BatchTrial(const BatchMock& mock, BatchLedger& ledger, ApiKind kind, ApiSettings settings = {}) {
    settings.openai = {mock.url(), kKey};
    settings.anthropic = {mock.root(), kKey};
    settings.azure = {mock.root(), kKey};
    settings.first_wait = std::chrono::milliseconds(1);
    settings.batching = ApiBatching::kOn;
    settings.batch_quiet = std::chrono::milliseconds(20);
    runner = make_batch_runner(kind, "tiny", settings, kClock, &log, ledger);
  }
  void submit(std::size_t first, std::size_t count) {
    std::vector<Request> requests;
    for (std::size_t i = first; i < first + count; ++i) requests.push_back(question(i));
    runner->submit(std::move(requests), sink);
  }
  std::map<std::uint64_t, Completion> ask(std::size_t count, std::size_t first = 0) {
    submit(first, count);
    runner->drain();
    return by_id();
  }
  std::map<std::uint64_t, Completion> by_id() const {
    std::map<std::uint64_t, Completion> all;
    for (const Completion& completion : sink.completions)
      all.emplace(static_cast<std::uint64_t>(completion.id), completion);
    CHECK(all.size() == sink.completions.size());
    return all;
  }

  ListLog log;
  CollectingSink sink;
  std::unique_ptr<Runner> runner;
};

inline MockOutcome echo(const std::string& text, int) { return {.text = "to " + text}; }

inline bool each_once(const BatchMock& mock) {
  const auto asked = mock.asked();
  return std::all_of(asked.begin(), asked.end(), [](const auto& one) { return one.second == 1; });
}

inline std::ptrdiff_t looks_at_first(const BatchMock& mock) {
  const std::vector<SeenRequest> seen = mock.seen();
  return std::count_if(seen.begin(), seen.end(),
                       [](const SeenRequest& request) { return request.path.ends_with("/batch_1"); });
}

}  // namespace micius
