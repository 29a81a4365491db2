#include "store/example_records.h"

#include <chrono>

#include <fmt/format.h>

#include "base/rng.h"
#include "base/text.h"
#include "core/attempt_json.h"
#include "core/names.h"
#include "core/record_json.h"

namespace micius {
namespace {

std::string sample_id(std::size_t sample) { return fmt::format("s{}", sample); }

std::string random_text(Rng& rng) {
  std::u32string text;
  const std::size_t length = rng.below(40);
  for (std::size_t i = 0; i < length; ++i) {
    constexpr char32_t kPicks[] = {U'\0',     U'\n',     U'"',      U'\\',        U'\x7f',
                                   U'\u00e9', U'\u2028', U'\ufffd', U'\U0001f600'};
    text.push_back(rng.below(3) == 0 ? kPicks[rng.below(std::size(kPicks))]
                                     : static_cast<char32_t>(U' ' + rng.below(95)));
  }
  return encode_utf8(text);
}

Prompt random_prompt(Rng& rng, const std::string& id) {
  std::vector<Message> messages;
  for (std::size_t i = rng.below(4); i > 0; --i)
    messages.push_back({static_cast<Role>(rng.below(3)), random_text(rng)});
  if (rng.below(2) == 0) return {id, GenerateInput{std::move(messages)}};
  std::vector<Pair> pairs;
  for (std::size_t i = rng.below(5); i > 0; --i) pairs.push_back({random_text(rng), random_text(rng)});
  return {id, LikelihoodInput{std::move(messages), std::move(pairs)}};
}

Attempt random_attempt(Rng& rng) {
  Attempt a;
  a.part = rng.below(3);
  a.began = std::chrono::nanoseconds(rng.below(1000));
  a.ended = std::chrono::nanoseconds(1000 + rng.below(1000));
  a.status = rng.below(3) == 0 ? 0 : static_cast<int>(200 + rng.below(400));
  if (rng.below(2) == 0) a.code = "rate_limit";
  a.message = random_text(rng);
  if (rng.below(2) == 0) a.wait_asked = std::chrono::nanoseconds(rng.below(1000));
  if (rng.below(2) == 0) a.waited = std::chrono::nanoseconds(rng.below(1000));
  a.request_id = random_text(rng);
  a.bytes = rng.below(1000);
  if (rng.below(3) == 0) a.invalid_utf8_sha256 = std::string(64, 'f');
  return a;
}

Turn random_turn(Rng& rng, const std::string& id) {
  Turn turn{random_prompt(rng, id), {}, random_text(rng)};
  Completion& c = turn.completion;
  if (const auto* weigh = std::get_if<LikelihoodInput>(&turn.prompt.input)) {
    for (std::size_t i = 0; i < weigh->pairs.size(); ++i)
      c.likelihoods.push_back({-1e3 * rng.uniform(), static_cast<int>(rng.below(9)), rng.below(2) == 0});
  } else {
    c.text = random_text(rng);
  }
  c.stop_reason = static_cast<StopReason>(rng.below(5));
  c.prompt_tokens = static_cast<int>(rng.below(5000));
  c.cached_tokens = static_cast<int>(rng.below(100));
  c.completion_tokens = static_cast<int>(rng.below(300));
  c.cut_tokens = static_cast<int>(rng.below(3));
  if (rng.below(2) == 0) c.work = {rng.below(5000), rng.below(9000)};
  c.cache_write_tokens = static_cast<int>(rng.below(3));
  for (std::size_t i = rng.below(4); i > 0; --i) c.attempts.push_back(random_attempt(rng));
  c.prompt_text = random_text(rng);
  c.timing.sent = after_ns({}, static_cast<std::int64_t>(rng.below(1000)));
  if (rng.below(2) == 0)
    c.timing.first_token = after_ns({}, static_cast<std::int64_t>(1000 + rng.below(1000)));
  c.timing.done = after_ns({}, static_cast<std::int64_t>(2000 + rng.below(1000)));
  if (rng.below(4) == 0) {
    c.from_cache = true;
    c.timing = {};
  }
  return turn;
}

}  // namespace

RunSpec example_spec(std::size_t samples, int repeats) {
  RunSpec spec;
  spec.task = "example";
  spec.suite = "user";
  spec.dataset = {"example.jsonl", std::string(64, 'a'), samples};
  for (std::size_t i = 0; i < samples; ++i) spec.sample_ids.push_back(sample_id(i));
  spec.model = {"fake", "fake", "", ""};
  spec.scorer = "exact";
  spec.repeats = repeats;
  spec.metrics = {{"acc"}, {"length"}};
  return spec;
}

Record example_record(std::size_t sample, int repeat) {
  Record record;
  record.sample = {
      sample_id(sample), fmt::format("{} of {}", std::string(400, 'q'), sample), {}, {"yes", "no"}, {}};
  record.sample.extra = {{"group", sample % 3}, {"context", std::string(600, 'c')}};
  record.repeat = repeat;
  for (std::size_t turn = 0; turn < 2; ++turn) {
    Turn said{{record.sample.id,
               GenerateInput{{{Role::kSystem, "Answer."}, {Role::kUser, std::string(5000, 'p')}}}},
              {},
              R"({"seen": true})"};
    said.completion.text = std::string(200, 'a');
    said.completion.prompt_tokens = 1200;
    said.completion.completion_tokens = 50;
    record.turns.push_back(std::move(said));
  }
  record.score = {Verdict::kCorrect, {{"acc", 1}, {"length", 200}}, "yes", "equal to the first target"};
  return record;
}

Record random_record(std::size_t sample, int repeat, const std::string& seed) {
  Rng rng(fmt::format("{}/{}/{}", seed, sample, repeat));
  Record record;
  record.sample = {sample_id(sample), random_text(rng), {}, {random_text(rng)}, {}};
  for (std::size_t i = rng.below(3); i > 0; --i) record.sample.choices.push_back(random_text(rng));
  record.sample.extra = {
      {"group", random_text(rng)}, {"x", rng.uniform()}, {"deep", {{"list", {1, nullptr, true}}}}};
  record.repeat = repeat;
  for (std::size_t i = 1 + rng.below(3); i > 0; --i)
    record.turns.push_back(random_turn(rng, record.sample.id));
  if (rng.below(5) == 0) {
    record.failure = Failure{"timeout", random_text(rng), static_cast<int>(rng.below(9))};
    Completion& last = record.turns.back().completion;
    last.stop_reason = StopReason::kFailed;
    last.failure = record.failure;
    last.likelihoods.clear();
    last.text.clear();
  } else {
    record.score = {static_cast<Verdict>(rng.below(4)), {}, random_text(rng), random_text(rng)};
    for (const char* metric : {"acc", "length"})
      record.score.values.push_back({metric, rng.uniform() * 1e6 - 5e5});
  }
  return record;
}

Record failed_record(std::size_t sample, int repeat) {
  Record record = example_record(sample, repeat);
  record.failure = Failure{"timeout", "no answer in 60 s", 8};
  record.turns.pop_back();
  record.turns[0].completion = {};
  record.turns[0].completion.stop_reason = StopReason::kFailed;
  record.turns[0].completion.failure = record.failure;
  record.score = {};
  return record;
}

std::string all_of(const Record& record) {
  std::string all = dump_json(to_json(record.sample)) + dump_json(record_json(RunId{}, record));
  for (const Turn& turn : record.turns) {
    const Completion& c = turn.completion;
    const auto ns = [&](Clock::time_point t) { return (t - c.timing.planned).count(); };
    all += fmt::format("\n{}|{}|{}|{}|{}|{}|{}|{}", dump_json(to_json(turn.prompt)), turn.prompt.sample_id,
                       c.prompt_text, name_of(c.stop_reason), c.cached_tokens, ns(c.timing.sent),
                       c.timing.first_token ? ns(*c.timing.first_token) : -1, ns(c.timing.done));
    if (c.work) all += fmt::format("|work {} of {}", c.work->forwarded, c.work->naive);
    all += fmt::format("|{} written to a cache", c.cache_write_tokens) + dump_json(to_json(c.attempts));
    if (c.failure) all += fmt::format("|{}|{}|{}", c.failure->code, c.failure->message, c.failure->attempts);
  }
  return all;
}

}  // namespace micius
