#include "engine/scheduler.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "base/rng.h"
#include "engine/encode.h"
#include "engine/job_check.h"
#include "engine/scheduler_internal.h"
#include "engine/token_logprobs.h"

namespace micius {
namespace {

constexpr std::size_t kSharedTokens = 32;  // a shorter common beginning is not worth a fork
constexpr std::size_t kRecentLanes = 16;
constexpr std::size_t kLookAhead = 256;  // waiting lanes that a step considers

std::size_t common_prefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  const std::size_t n = std::min(a.size(), b.size());
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + n, b.begin()).first - a.begin());
}

JobResult failed(JobId id, JobFailure failure) {
  JobResult result;
  result.id = id;
  result.failure = std::move(failure);
  return result;
}

JobFailure not_finite() {
  return {"not_finite", "the model's logits are not finite numbers; its file may be damaged"};
}

}  // namespace

Scheduler::Scheduler(Decoder& model, const Tokenizer& tokenizer, const OpContext& context, KvPool& pool,
                     const SchedulerOptions& options)
    : model_(model),
      tokenizer_(tokenizer),
      context_(context),
      pool_(pool),
      options_(options),
      ending_tokens_(micius::ending_tokens(tokenizer)) {
  assert(options.batch_tokens > 0);
}

Scheduler::~Scheduler() = default;

void Scheduler::add(JobId id, Job job) {
  const ModelConfig& config = model_.config();
  if (auto failure = find_fault(job, config.context, config.vocabulary)) return reject(id, *failure);
  JobState& state = *jobs_.emplace(id, std::make_unique<JobState>()).first->second;
  state.result.id = id;
  const std::size_t first = waiting_.size();
  std::visit([&](auto& one) { add_lanes(state, std::move(one)); }, job);
  std::size_t most = 0;
  for (std::size_t i = first; i < waiting_.size(); ++i) most = std::max(most, waiting_[i]->blocks);
  if (most > pool_.capacity()) {
    cancel(id);
    return reject(id, {"kv_memory", fmt::format("it needs {} of KV cache, {} are allowed; raise --kv-memory",
                                                format_bytes(most * pool_.block_bytes()),
                                                format_bytes(pool_.capacity() * pool_.block_bytes()))});
  }
  if (state.open_lanes == 0) {  // no pairs: nothing to wait for
    rejected_.push_back(std::move(state.result));
    jobs_.erase(id);
  }
}

void Scheduler::reject(JobId id, JobFailure failure) { rejected_.push_back(failed(id, std::move(failure))); }

void Scheduler::add_lanes(JobState& state, GenerateJob job) {
  state.text.emplace(tokenizer_, std::move(job.stop));
  state.rng.emplace(job.stream);
  state.sampling = job.sampling;
  state.max_tokens = static_cast<std::size_t>(job.max_tokens);
  state.best = job.best;
  state.weighs_prompt = job.weighs_prompt;
  cut_to_fit(job, model_.config().context);
  std::vector<TokenId>& prompt = job.prompt;
  const std::size_t room = prompt.size() + std::max<std::size_t>(state.max_tokens, 1) - 1;
  state.result.prompt_tokens = prompt.size();
  state.result.work.naive += prompt.size();
  add_lane(state, LaneKind::kPrompt, std::move(prompt), room);
}

void Scheduler::add_lanes(JobState& state, LogitsJob job) {
  const std::size_t room = job.ids.size();
  state.result.prompt_tokens = room;
  state.result.work.naive += room;
  add_lane(state, LaneKind::kLogits, std::move(job.ids), room);
}

Scheduler::Lane& Scheduler::add_lane(JobState& state, LaneKind kind, std::vector<TokenId> tokens,
                                     std::size_t room) {
  auto lane = std::make_unique<Lane>();
  lane->kind = kind;
  lane->job = &state;
  lane->tokens = std::move(tokens);
  lane->read = lane->tokens.size();
  lane->blocks = KvPool::blocks_for(room);
  ++state.open_lanes;
  waiting_.push_back(std::move(lane));
  return *waiting_.back();
}

void Scheduler::add_lanes(JobState& state, WeighJob job) {
  state.result.weights.resize(job.pairs.size());
  std::map<std::vector<TokenId>, Lane*> trunks;
  for (std::size_t i = 0; i < job.pairs.size(); ++i) {
    cut_to_fit(job.pairs[i], model_.config().context);
    const auto& [context, continuation] = job.pairs[i];
    state.result.weights[i].tokens = static_cast<int>(continuation.size());
    state.result.work.naive += context.size() + continuation.size() - 1;
    Lane*& trunk = trunks[context];
    if (trunk == nullptr) state.result.prompt_tokens += context.size();
    if (trunk == nullptr || options_.beginnings == Beginnings::kComputedAgain)
      trunk = &add_lane(state, LaneKind::kTrunk, context, context.size());
    trunk->scores.push_back({context.size() - 1, continuation.front(), i});
    if (continuation.size() > 1) add_branch(*trunk, continuation, i);
  }
}

void Scheduler::add_branch(Lane& trunk, const std::vector<TokenId>& continuation, std::size_t pair) {
  auto branch = std::make_unique<Lane>();
  branch->kind = LaneKind::kBranch;
  branch->job = trunk.job;
  branch->trunk = &trunk;
  branch->start = trunk.tokens.size();
  branch->tokens.assign(continuation.begin(), continuation.end() - 1);
  for (std::size_t t = 0; t < branch->tokens.size(); ++t) {
    branch->scores.push_back({t, continuation[t + 1], pair});
  }
  // It shares the trunk's full blocks; the trunk stays until its branches have ended.
  branch->blocks = KvPool::blocks_for(branch->start + branch->tokens.size()) - branch->start / kPageTokens;
  trunk.blocks += branch->blocks;
  trunk.branches.push_back(std::move(branch));
}

void Scheduler::cancel(JobId id) {
  const auto it = jobs_.find(id);
  std::erase_if(rejected_, [&](const JobResult& result) { return result.id == id; });
  if (it == jobs_.end()) return;
  const auto mine = [&](const LanePtr& lane) { return lane->job == it->second.get(); };
  for (const auto* lanes : {&active_, &trunks_}) {
    for (const LanePtr& lane : *lanes) reserved_ -= mine(lane) ? lane->blocks : 0;
  }
  std::erase_if(active_, mine);
  std::erase_if(trunks_, mine);
  std::erase_if(waiting_, mine);
  jobs_.erase(it);
}

// The lane that begins like `lane` for the longest, if that is long enough to share.
Scheduler::Parent Scheduler::find_parent(const Lane& lane) const {
  Parent best{nullptr, kSharedTokens - 1};
  if (options_.beginnings == Beginnings::kComputedAgain || lane.job->weighs_prompt) return best;
  const auto look = [&](const LanePtr& other, std::size_t most) {
    if (other->kind == LaneKind::kBranch) return;
    // With selective V, what was written has other keys and values than the same tokens read.
    if (options_.selection.top > 0) most = std::min(most, other->read);
    const std::size_t common =
        std::min({common_prefix(lane.tokens, other->tokens), lane.tokens.size() - 1, most});
    if (common > best.tokens) best = {other.get(), common};
  };
  for (const LanePtr& other : recent_) look(other, other->done());
  for (const LanePtr& other : trunks_) look(other, other->done());
  for (const LanePtr& other : active_) look(other, other->tokens.size());
  return best;
}

// Starts what is waiting, in order, until a batch is full. A context that begins like one that is being read
// waits until that one has come far enough.
void Scheduler::admit() {
  std::size_t ready = 0;
  for (const LanePtr& lane : active_) ready += lane->left();
  for (std::size_t i = 0; i < std::min(waiting_.size(), kLookAhead) && ready < options_.batch_tokens;) {
    Lane& lane = *waiting_[i];
    const Parent parent = find_parent(lane);
    if (parent.lane != nullptr && parent.lane->done() < parent.tokens) {
      ++i;
      continue;
    }
    if (!start(lane, parent)) return;
    ready += lane.left();
    active_.push_back(std::move(waiting_[i]));
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// Gives `lane` its cache; false if there is no memory yet.
bool Scheduler::start(Lane& lane, Parent parent) {
  const auto too_much = [&] { return reserved_ + lane.blocks > pool_.capacity(); };
  for (auto it = recent_.begin(); too_much() && it != recent_.end();) {
    it = it->get() == parent.lane ? std::next(it) : forget(it);
  }
  if (too_much() && !recent_.empty()) {
    forget(recent_.begin());  // the parent is all that is left
    parent.lane = nullptr;
  }
  if (too_much()) return false;
  reserved_ += lane.blocks;
  if (parent.lane == nullptr) {
    lane.kv.emplace(pool_);
    return true;
  }
  lane.kv.emplace(parent.lane->kv->fork(parent.tokens));
  const auto used = std::find_if(recent_.begin(), recent_.end(),
                                 [&](const LanePtr& other) { return other.get() == parent.lane; });
  if (used != recent_.end()) recent_.splice(recent_.end(), recent_, used);
  return true;
}

std::list<Scheduler::LanePtr>::iterator Scheduler::forget(std::list<LanePtr>::iterator lane) {
  reserved_ -= (*lane)->blocks;
  return recent_.erase(lane);
}

StepResult Scheduler::step() {
  StepResult result;
  result.finished = std::exchange(rejected_, {});
  admit();
  Batch batch;
  fill(batch);
  if (batch.tokens == 0) return result;
  run(batch, result);
  settle(result);
  return result;
}

// Lanes that need one token go first: they are generations at work, or nearly through.
void Scheduler::fill(Batch& batch) {
  const auto take = [&](Lane& lane) {
    const std::size_t count = std::min(lane.left(), options_.batch_tokens - batch.tokens);
    if (count == 0) return;
    auto& entries = lane.is_greedy() ? batch.greedy : lane.is_prompt() ? batch.prompts : batch.weighed;
    entries.push_back({&lane, lane.done(), count});
    lane.job->result.work.forwarded += count;
    batch.tokens += count;
  };
  for (const LanePtr& lane : active_) {
    if (lane->left() == 1) take(*lane);
  }
  for (const LanePtr& lane : active_) {
    if (lane->left() > 1) take(*lane);
  }
}

ForwardSlice Scheduler::slice_of(Lane& lane, std::size_t first, std::size_t count) const {
  const ValueSelection selection = first < lane.read ? ValueSelection{} : options_.selection;
  return {&*lane.kv, {lane.tokens.data() + first, count}, selection};
}

void Scheduler::run(Batch& batch, StepResult& result) {
  std::vector<ForwardSlice> slices;
  std::vector<std::int32_t> wanted;  // rows that are read, in the order of the batch
  std::size_t row = 0;
  for (const auto& [lane, first, count] : batch.greedy) {
    slices.push_back(slice_of(*lane, first, count));
    row += count;
    if (first + count < lane->tokens.size()) continue;
    wanted.push_back(static_cast<std::int32_t>(row - 1));
    batch.greedy_rows.push_back(lane);
  }
  for (const auto& [lane, first, count] : batch.prompts) {
    slices.push_back(slice_of(*lane, first, count));
    for (std::size_t t = lane->job->weighs_prompt ? first + 1 : lane->tokens.size(); t <= first + count;
         ++t) {
      wanted.push_back(static_cast<std::int32_t>(row + t - 1 - first));
      batch.logit_rows.push_back({lane, t});
    }
    row += count;
  }
  for (const auto& [lane, first, count] : batch.weighed) {
    slices.push_back(slice_of(*lane, first, count));
    for (; lane->scored < lane->scores.size() && lane->scores[lane->scored].row < first + count;
         ++lane->scored) {
      const Lane::Score& score = lane->scores[lane->scored];
      const auto scored_row = static_cast<std::int32_t>(row + score.row - first);
      if (wanted.empty() || wanted.back() != scored_row) wanted.push_back(scored_row);
      batch.picks.push_back(
          {static_cast<std::uint32_t>(wanted.size() - 1 - batch.unscored_rows()), score.id});
      batch.picked.push_back({lane, score.pair});
    }
    row += count;
  }
  model_.forward(slices, wanted);
  if (!batch.picks.empty()) read_scores(batch, wanted.size() - batch.unscored_rows());
  if (!batch.greedy_rows.empty()) read_greedy(batch, result);
  read_logits(batch, result);
}

void Scheduler::read_scores(const Batch& batch, std::size_t rows) {
  std::vector<LogitSummary> summaries(rows);
  std::vector<float> picked(batch.picks.size());
  model_.score(batch.unscored_rows(), batch.picks, summaries, picked);
  for (std::size_t i = 0; i < picked.size(); ++i) {
    const auto& [lane, pair] = batch.picked[i];
    const LogitSummary& summary = summaries[batch.picks[i].row];
    if (!std::isfinite(summary.logsumexp) || !std::isfinite(picked[i])) {
      lane->job->result.failure = not_finite();
      continue;
    }
    TokenWeight& weight = lane->job->result.weights[pair];
    weight.logprob += double{picked[i]} - summary.logsumexp;
    weight.greedy = weight.greedy && summary.argmax == batch.picks[i].id;
  }
}

void Scheduler::read_greedy(const Batch& batch, StepResult& result) {
  std::vector<std::optional<TokenId>> tokens(batch.greedy_rows.size());
  model_.greedy(0, tokens);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    Lane& lane = *batch.greedy_rows[i];
    lane.ended = lane.job->max_tokens == 0;
    if (lane.ended) continue;
    if (!tokens[i]) {
      lane.job->result.failure = not_finite();
      lane.ended = true;
      continue;
    }
    take_token(lane, *tokens[i], result);
  }
}

void Scheduler::read_logits(const Batch& batch, StepResult& result) {
  const std::size_t vocabulary = model_.config().vocabulary;
  for (std::size_t first = 0; first < batch.logit_rows.size(); first += kLogitRows) {
    const std::size_t rows = std::min(kLogitRows, batch.logit_rows.size() - first);
    const std::span<const float> logits = model_.logits(batch.greedy_rows.size() + first, rows);
    weigh_prompts(std::span(batch.logit_rows).subspan(first, rows), logits);
    for (std::size_t i = 0; i < rows; ++i) {
      if (batch.logit_rows[first + i].is_prompt()) continue;
      take_logits(*batch.logit_rows[first + i].lane, logits.subspan(i * vocabulary, vocabulary), result);
    }
  }
}

// logits: [rows.size(), vocabulary]
void Scheduler::weigh_prompts(std::span<const LogitRow> rows, std::span<const float> logits) {
  const std::size_t vocabulary = model_.config().vocabulary;
  std::vector<std::optional<TokenLogprobs>> weights(rows.size());
  context_.pool.parallel_for(rows.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (!rows[i].is_prompt()) continue;
      const Lane& lane = *rows[i].lane;
      weights[i] = token_logprobs(logits.subspan(i * vocabulary, vocabulary), lane.tokens[rows[i].token],
                                  lane.job->best.value_or(0), context_);
    }
  });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_prompt()) continue;
    JobResult& result = rows[i].lane->job->result;
    if (weights[i]) {
      result.prompt_logprobs.push_back(*std::move(weights[i]));
    } else {
      result.failure = not_finite();
      rows[i].lane->ended = true;
    }
  }
}

void Scheduler::take_logits(Lane& lane, std::span<const float> logits, StepResult& result) {
  if (lane.ended) return;
  JobState& job = *lane.job;
  if (lane.kind == LaneKind::kLogits) {
    job.result.logits.assign(logits.begin(), logits.end());
    job.result.logsumexp = summarize_logits(logits, context_).logsumexp;
    if (!std::isfinite(job.result.logsumexp)) job.result.failure = not_finite();
    lane.ended = true;
    return;
  }
  lane.ended = job.max_tokens == 0;
  if (lane.ended) return;
  const TokenId id = sample_token(logits, job.sampling, *job.rng);
  std::optional<TokenLogprobs> logprobs;
  if (job.best) logprobs = token_logprobs(logits, id, *job.best, context_);
  if (!std::isfinite(logits[id]) || job.best.has_value() != logprobs.has_value()) {
    job.result.failure = not_finite();
    lane.ended = true;
    return;
  }
  take_token(lane, id, result);
  result.tokens.back().logprobs = std::move(logprobs);
}

void Scheduler::take_token(Lane& lane, TokenId id, StepResult& result) {
  JobState& job = *lane.job;
  job.result.ids.push_back(id);
  if (job.result.ids.size() == 1) result.first_tokens.push_back(job.result.id);
  const bool ends = std::find(ending_tokens_.begin(), ending_tokens_.end(), id) != ending_tokens_.end();
  job.result.stopped = ends || job.text->push(id);
  lane.ended = job.result.stopped || job.result.ids.size() == job.max_tokens;
  const std::size_t sure = lane.ended ? job.text->text().size() : job.text->settled();
  result.tokens.push_back(
      {job.result.id, id, job.text->text().substr(job.told, sure - job.told), std::nullopt});
  job.told = sure;
  if (lane.ended) {
    job.result.text = job.text->text();
  } else {
    lane.tokens.push_back(id);
    ++job.result.work.naive;
  }
}

// Moves on what is through with its tokens.
void Scheduler::settle(StepResult& result) {
  std::vector<LanePtr> before = std::exchange(active_, {});
  for (LanePtr& lane : before) {
    const bool through = lane->is_prompt() ? lane->ended : lane->left() == 0;
    if (through && !lane->branches.empty()) fork_branches(*lane);
  }
  for (LanePtr& lane : before) {
    if (lane->is_prompt() ? !lane->ended : lane->left() > 0) {
      active_.push_back(std::move(lane));
    } else if (lane->open_branches > 0) {
      trunks_.push_back(std::move(lane));
    } else {
      retire(std::move(lane), result);
    }
  }
}

// Branches come first in the next batches, so that their trunk's memory is free soon.
void Scheduler::fork_branches(Lane& trunk) {
  trunk.open_branches = trunk.branches.size();
  for (LanePtr& branch : trunk.branches) {
    branch->kv.emplace(trunk.kv->fork(trunk.kv->length()));
    trunk.blocks -= branch->blocks;
    active_.push_back(std::move(branch));
  }
  trunk.branches.clear();
}

void Scheduler::retire(LanePtr lane, StepResult& result) {
  if (lane->kind == LaneKind::kBranch) {
    reserved_ -= lane->blocks;
    if (--lane->trunk->open_branches > 0) return;
    const auto trunk = std::find_if(trunks_.begin(), trunks_.end(),
                                    [&](const LanePtr& other) { return other.get() == lane->trunk; });
    lane = std::move(*trunk);
    trunks_.erase(trunk);
  }
  JobState& job = *std::exchange(lane->job, nullptr);
  if (lane->done() > kSharedTokens) {
    const std::size_t held = KvPool::blocks_for(lane->kv->length());
    reserved_ -= lane->blocks - held;
    lane->blocks = held;
    recent_.push_back(std::move(lane));
    if (recent_.size() > kRecentLanes) forget(recent_.begin());
  } else {
    reserved_ -= lane->blocks;
  }
  if (--job.open_lanes > 0) return;
  const JobId id = job.result.id;
  if (job.result.failure) {
    result.finished.push_back(failed(id, *std::move(job.result.failure)));
  } else {
    result.finished.push_back(std::move(job.result));
  }
  jobs_.erase(id);
}

}  // namespace micius
