// Continuous batching: jobs come at any time, each step runs one batch of what is ready.
//
// A job's work is one or more lanes, each a sequence with a KV cache. A weigh job has a lane for each
// distinct context; when it is through, each longer continuation goes on in a fork of it. A context that
// begins like one that was read lately (a few-shot header) starts as a fork of that one. All of this changes
// what is computed when, never a bit of the result, because a row's result does not depend on its batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/generated_text.h"
#include "engine/job.h"
#include "engine/kv_cache.h"
#include "engine/model/decoder.h"
#include "engine/ops/logits.h"
#include "engine/ops/op_context.h"
#include "engine/tokenizer/tokenizer.h"

namespace micius {

// A token of a generation, as it comes.
struct NewToken {
  JobId job{};
  TokenId id = 0;
  std::string text;                       // what is sure now; that of all tokens joined is JobResult::text
  std::optional<TokenLogprobs> logprobs;  // where they were asked for
};

struct StepResult {
  std::vector<NewToken> tokens;     // of generations, those that end in this step too
  std::vector<JobId> first_tokens;  // generations whose first token came in this step
  std::vector<JobResult> finished;
};

// kComputedAgain: nothing is shared, not even the context of a question's choices. It shows that sharing
// changes no bit, and what it gains.
enum class Beginnings { kShared, kComputedAgain };

struct SchedulerOptions {
  std::size_t batch_tokens = 512;  // most tokens of a step, 1 or more
  // For what a model writes, not for what it reads: of a generation the tokens behind the prompt, of a pair
  // the continuation.
  ValueSelection selection = {};
  Beginnings beginnings = Beginnings::kShared;
};

// For one thread. Borrows model, tokenizer, context and pool.
class Scheduler {
 public:
  Scheduler(Decoder& model, const Tokenizer& tokenizer, const OpContext& context, KvPool& pool,
            const SchedulerOptions& options);
  ~Scheduler();

  // Bad jobs end in a JobResult with a failure in the next step.
  void add(JobId id, Job job);
  void cancel(JobId id);  // it gives no result; nothing happens if it has ended
  bool idle() const { return jobs_.empty() && rejected_.empty(); }
  StepResult step();

 private:
  enum class LaneKind { kTrunk, kBranch, kPrompt, kLogits };
  struct JobState;
  struct Lane;
  struct Batch;
  struct LogitRow;
  using LanePtr = std::unique_ptr<Lane>;
  struct Parent {  // a lane to fork, and for how many tokens
    Lane* lane;
    std::size_t tokens;
  };

  void reject(JobId id, JobFailure failure);
  void add_lanes(JobState& state, WeighJob job);
  void add_lanes(JobState& state, GenerateJob job);
  void add_lanes(JobState& state, LogitsJob job);
  Lane& add_lane(JobState& state, LaneKind kind, std::vector<TokenId> tokens, std::size_t room);
  static void add_branch(Lane& trunk, const std::vector<TokenId>& continuation, std::size_t pair);

  void admit();
  Parent find_parent(const Lane& lane) const;
  bool start(Lane& lane, Parent parent);
  std::list<LanePtr>::iterator forget(std::list<LanePtr>::iterator lane);

  void fill(Batch& batch);
  ForwardSlice slice_of(Lane& lane, std::size_t first, std::size_t count) const;
  void run(Batch& batch, StepResult& result);
  void read_scores(const Batch& batch, std::size_t rows);
  void read_greedy(const Batch& batch, StepResult& result);
  void read_logits(const Batch& batch, StepResult& result);
  void weigh_prompts(std::span<const LogitRow> rows, std::span<const float> logits);
  void take_logits(Lane& lane, std::span<const float> logits, StepResult& result);
  void take_token(Lane& lane, TokenId id, StepResult& result);
  void settle(StepResult& result);
  void fork_branches(Lane& trunk);
  void retire(LanePtr lane, StepResult& result);

  Decoder& model_;
  const Tokenizer& tokenizer_;
  const OpContext& context_;
  KvPool& pool_;
  SchedulerOptions options_;
  std::vector<TokenId> ending_tokens_;

  std::map<JobId, std::unique_ptr<JobState>> jobs_;
  std::vector<JobResult> rejected_;  // to be handed out by the next step
  std::deque<LanePtr> waiting_;      // not begun, in the order of add
  std::vector<LanePtr> active_;
  std::vector<LanePtr> trunks_;  // contexts that are through and whose branches are not
  std::list<LanePtr> recent_;    // ended, kept for contexts that begin alike; the latest used is last
  std::size_t reserved_ = 0;     // blocks that the lanes of the last three may come to hold
};

}  // namespace micius
