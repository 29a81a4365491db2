// What is open of a run's questions, and which batch of a provider has which of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/batch_ledger.h"
#include "runners/api_link.h"
#include "runners/batch_provider.h"
#include "runners/batch_question.h"

namespace micius {

// Of one thread. Its steps wait for the network.
class BatchDesk {
 public:
  using Time = Clock::time_point;
  using OnEnd = std::function<void()>;                           // once for each question, after its sink
  using Pause = std::function<bool(std::chrono::milliseconds)>;  // waits; false: not to its end

  // All must outlive it.
  BatchDesk(ApiLink& link, const ApiShape& shape, BatchProvider& provider, BatchLedger& ledger, OnEnd on_end,
            Pause pause);

  void add(const RunnerInfo& info, Request request, CompletionSink& sink);
  bool is_launch_due() const { return is_launch_due_ && !stopped_; }  // there may be something to send
  Time next_look() const;  // by the link's clock; Time::max(): nothing is under way
  // Sends what can be sent, looks after what is under way and due. Throws what the ledger throws.
  void work();
  // Both end all questions; their batches stay with the provider, and in the ledger.
  void cancel();
  void fail(const Error& error);  // for good: work() threw this

 private:
  // A batch that is with the provider.
  struct Flight {
    SentBatch batch;
    std::set<std::string> wanted;         // of its questions, those that are open and have no outcome yet
    std::vector<std::string> unanswered;  // those that it has no answer to
    ApiFields sent;
    Time began = {}, next_look = {};
    std::chrono::milliseconds pause{200};
    const std::string& id() const { return *batch.batch_id; }
  };

  void launch();
  void adopt_sent();
  void adopt(SentBatch batch);
  std::vector<std::string> wanted_of(const SentBatch& batch) const;
  void board(const std::string& name);
  bool find_again(SentBatch& batch);
  std::vector<std::string> next_rows(const std::string& token, std::vector<std::string>& names);
  bool send(const std::vector<std::string>& names, const std::vector<std::string>& rows,
            const std::string& token);
  std::chrono::milliseconds pause_before(int attempt) const;
  void fly(SentBatch batch);
  void look(Flight flight);
  void land(Flight& flight, const BatchState& state);
  void take_all(Flight& flight, const BatchState& state);
  void forget_unanswered(Flight& flight);
  bool take_for_another(const Flight& flight);
  void refuse(Flight& flight, const std::string& what);
  Attempt attempt_of(const Flight& flight, const BatchOutcome& outcome, const BatchQuestion& question) const;
  void take(Flight& flight, BatchOutcome outcome);
  void ask_again(Flight& flight, const std::string& name, BatchQuestion& question, const Attempt& attempt);
  void fail_one(const std::string& name, const ApiEnd& why);
  void halt(ApiEnd why);
  void stop(const ApiEnd& why);
  void end(const std::string& name);

  ApiLink& link_;
  const ApiShape& shape_;
  BatchProvider& provider_;
  BatchLedger& ledger_;
  const OnEnd on_end_;
  const Pause pause_;
  const ApiFields first_fields_;  // what a question is named by: others are learned anew by each process

  std::map<std::string, BatchQuestion> open_;  // by name
  std::set<std::string> waiting_;              // of them, those that no batch has
  std::vector<Flight> flights_;
  std::set<std::string> not_ours_;  // ids of batches
  std::size_t batches_ = 0;
  bool is_launch_due_ = false;
  std::optional<ApiEnd> stopped_;
};

}  // namespace micius
