// What the scheduler knows of a job and of the sequences that do its work.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "engine/scheduler.h"

namespace micius {

struct Scheduler::JobState {
  JobResult result;
  std::size_t open_lanes = 0;
  // Of a generation.
  std::optional<GeneratedText> text;
  std::optional<Rng> rng;
  SamplingOptions sampling;
  std::size_t max_tokens = 0;
  std::optional<std::size_t> best;
  bool weighs_prompt = false;
  std::size_t told = 0;  // bytes of the text that are handed out

  // Of a row it needs the most likely token alone.
  bool is_greedy() const { return sampling.temperature <= 0 && !best && !weighs_prompt; }
};

struct Scheduler::Lane {
  // The weight of a pair's token `id`, read from the row of token `row`.
  struct Score {
    std::size_t row;
    TokenId id;
    std::size_t pair;
  };
  LaneKind kind;
  JobState* job;
  std::vector<TokenId> tokens;  // of a branch those behind the trunk's; of a generation it grows
  std::optional<KvSequence> kv;
  std::size_t read = 0;       // the first of `tokens`, those that the model did not write; of a branch none
  std::size_t start = 0;      // position of tokens[0]
  std::size_t blocks = 0;     // that it may come to hold, with its branches until they are forked
  std::vector<Score> scores;  // rows rising
  std::size_t scored = 0;     // scores that are read
  std::vector<LanePtr> branches;  // to be forked when a trunk is through
  Lane* trunk = nullptr;          // of a branch
  std::size_t open_branches = 0;
  bool ended = false;

  bool is_greedy() const { return kind == LaneKind::kPrompt && job->is_greedy(); }
  bool is_prompt() const { return kind == LaneKind::kPrompt || kind == LaneKind::kLogits; }
  std::size_t done() const { return kv->length() - start; }  // tokens that went through the model
  std::size_t left() const { return tokens.size() - done(); }
};

// A row whose whole logits are read: they say what stands at `token` of the lane.
struct Scheduler::LogitRow {
  Lane* lane;
  std::size_t token;
  bool is_prompt() const { return token < lane->tokens.size(); }
};

// The slices of one step: first those with rows of which the most likely token is read, then those with rows
// that are read as whole logits, then those that are scored.
struct Scheduler::Batch {
  struct Entry {
    Lane* lane;
    std::size_t first, count;  // of lane->tokens
  };
  std::vector<Entry> greedy, prompts, weighed;
  std::size_t tokens = 0;
  std::vector<Lane*> greedy_rows;                     // in row order
  std::vector<LogitRow> logit_rows;                   // in row order
  std::vector<LogitPick> picks;                       // rows counted from the first that is scored
  std::vector<std::pair<Lane*, std::size_t>> picked;  // lane and pair of each pick

  std::size_t unscored_rows() const { return greedy_rows.size() + logit_rows.size(); }
};

}  // namespace micius
