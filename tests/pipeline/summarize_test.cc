#include "pipeline/summarize.h"

#include <chrono>
#include <cmath>
#include <filesystem>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "core/price.h"
#include "memory_store.h"
#include "stats/proportion.h"

namespace micius {
namespace {

RunSpec spec_of(std::vector<std::string> ids) {
  RunSpec spec;
  spec.task = "quiz";
  spec.sample_ids = std::move(ids);
  spec.metrics = {{"acc"}, {"ppl", "perplexity", Direction::kLowerIsBetter, Reduction::kExpNegMean}};
  return spec;
}

Record record_of(const std::string& id, double acc) {
  Record record;
  record.sample.id = id;
  record.score.verdict = acc == 1 ? Verdict::kCorrect : Verdict::kIncorrect;
  record.score.values = {{"acc", acc}};
  Turn turn;
  turn.completion.text = "x";
  turn.completion.prompt_tokens = 10;
  turn.completion.completion_tokens = 2;
  record.turns = {turn};
  return record;
}

Report report_of(const RunSpec& spec, const std::vector<Record>& records,
                 const SummarizeOptions& options = {}) {
  MemoryStore store;
  const RunId run = store.begin(spec, 1);
  for (const Record& record : records) store.append(run, record);
  store.finish(run, RunStatus::kComplete, 2'000'000'000, std::nullopt);
  return summarize(store, run, options);
}

}  // namespace

TEST_CASE("metrics are over the scored samples and leave out parts that do not apply") {
  Record with_part = record_of("a", 1);
  with_part.score.values.push_back({"ppl", -2});
  Record unscored = record_of("c", 0);
  unscored.score = {};
  const Report report = report_of(spec_of({"a", "b", "c"}), {with_part, record_of("b", 0), unscored});
  CHECK(report.counts.total == 3);
  CHECK(report.counts.scored == 2);
  CHECK(report.counts.unscored == 1);
  REQUIRE(report.metrics.size() == 2);
  CHECK(report.metrics[0].primary);
  CHECK(report.metrics[0].estimate->value == 0.5);
  CHECK(*report.metrics[0].estimate->low == Approx(wilson(1, 2).low));
  CHECK(report.metrics[1].estimate->n == 1);
  CHECK(report.metrics[1].estimate->value == Approx(std::exp(2)));
  CHECK_FALSE(report.metrics[1].estimate->low);
}

TEST_CASE("no answer, truncated and empty are counted within scored") {
  Record none = record_of("a", 0);
  none.score.verdict = Verdict::kNoAnswer;
  none.turns[0].completion.text = "";
  Record cut = record_of("b", 0);
  cut.turns[0].completion.stop_reason = StopReason::kLength;
  Record weighed = record_of("c", 1);
  weighed.turns[0].completion.text = "";
  weighed.turns[0].completion.likelihoods = {{-1, 1, true}};
  const Counts counts = report_of(spec_of({"a", "b", "c"}), {none, cut, weighed}).counts;
  CHECK(counts.scored == 3);
  CHECK(counts.no_answer == 1);
  CHECK(counts.truncated == 1);
  CHECK(counts.empty == 1);
}

TEST_CASE("repeats are averaged per sample first") {
  RunSpec spec = spec_of({"a", "b"});
  spec.repeats = 2;
  Record a0 = record_of("a", 1), a1 = record_of("a", 0), b0 = record_of("b", 1), b1 = record_of("b", 1);
  a1.repeat = b1.repeat = 1;
  const Report report = report_of(spec, {a0, a1, b0, b1});
  CHECK(report.counts.total == 4);
  CHECK(report.counts.scored == 4);
  CHECK(report.metrics[0].estimate->n == 2);
  CHECK(report.metrics[0].estimate->value == 0.75);
}

TEST_CASE("a run with failed samples has no metrics unless they are allowed") {
  Record failed = record_of("b", 0);
  failed.score = {};
  failed.failure = Failure{"timeout", "no answer within 60 s", 3};
  RunSpec spec = spec_of({"a", "b", "c"});
  spec.breakdowns = {"kind"};
  Record good = record_of("a", 1);
  good.sample.extra["kind"] = "x";
  const Report strict = report_of(spec, {good, failed});
  CHECK(strict.counts.failed == 1);
  CHECK(strict.counts.total == 3);
  REQUIRE(strict.metrics.size() == 2);
  CHECK_FALSE(strict.metrics[0].estimate);
  CHECK(strict.groups.empty());
  SummarizeOptions allow;
  allow.allow_failed = true;
  const Report lenient = report_of(spec, {good, failed}, allow);
  CHECK(lenient.metrics[0].estimate->n == 1);
  CHECK(lenient.groups.size() == 1);
  CHECK(*lenient.usage.retries == 2);
}

TEST_CASE("groups are by word, number and each entry of a list, in a stated order") {
  RunSpec spec = spec_of({"a", "b", "c"});
  spec.breakdowns = {"level", "tags", "absent"};
  Record a = record_of("a", 1), b = record_of("b", 0), c = record_of("c", 1);
  a.sample.extra = {{"level", 10}, {"tags", {"x", "y", "x"}}};
  b.sample.extra = {{"level", 9}, {"tags", {"y"}}};
  c.sample.extra = {{"level", "easy"}, {"tags", Json::object()}};
  const std::vector<Group> groups = report_of(spec, {a, b, c}).groups;
  std::vector<std::string> names;
  for (const Group& group : groups)
    names.push_back(group.by + "=" + group.key + ":" + std::to_string(group.n));
  CHECK(names == std::vector<std::string>{"level=9:1", "level=10:1", "level=easy:1", "tags=x:1", "tags=y:2"});
  CHECK(groups[4].metrics[0].estimate->value == 0.5);
}

TEST_CASE("words that look like numbers without being one are groups of their own") {
  RunSpec spec = spec_of({"a", "b", "c", "d", "e"});
  spec.breakdowns = {"kind"};
  std::vector<Record> records;
  for (const char* kind : {"2", "nan", "1", "NaN", "inf"}) {
    records.push_back(record_of(std::string(1, static_cast<char>('a' + records.size())), 1));
    records.back().sample.extra = {{"kind", kind}};
  }
  std::vector<std::string> keys;
  for (const Group& group : report_of(spec, records).groups) keys.push_back(group.key);
  CHECK(keys == std::vector<std::string>{"1", "2", "NaN", "inf", "nan"});
}

TEST_CASE("samples of one cluster are not independent") {
  RunSpec spec = spec_of({"a", "b", "c", "d", "e"});
  spec.cluster = "family";
  std::vector<Record> records = {record_of("a", 1), record_of("b", 1), record_of("c", 0), record_of("d", 0),
                                 record_of("e", 1)};
  for (std::size_t i = 0; i < 4; ++i) records[i].sample.extra["family"] = i < 2 ? "p" : "q";
  const Estimate estimate = *report_of(spec, records).metrics[0].estimate;
  CHECK(estimate.clusters == 3);  // "e" names none and is its own
  CHECK(*estimate.low == 0);      // cut: a fraction
  CHECK(*estimate.high == 1);
}

TEST_CASE("the forms of a case give its worst value and whether they differ") {
  RunSpec spec = spec_of({"a", "a1", "a2", "b", "b1", "c"});
  spec.cluster = "of";
  spec.metrics = {{"acc"},
                  {"worst", "fraction", Direction::kHigherIsBetter, Reduction::kWorst, "acc"},
                  {"flip_rate", "fraction", Direction::kLowerIsBetter, Reduction::kFlips, "acc"}};
  std::vector<Record> records = {record_of("a", 1),    record_of("a1", 1),    record_of("a2", 0.5),
                                 record_of("b", 0.25), record_of("b1", 0.25), record_of("c", 0)};
  for (Record& record : records) record.sample.extra["of"] = record.sample.id.substr(0, 1);
  const Report report = report_of(run_spec_from_json(to_json(spec), "spec"), records);
  CHECK(report.metrics[0].estimate->value == 0.5);
  CHECK(report.metrics[1].estimate->value == Approx((0.5 + 0.25) / 2));
  CHECK(report.metrics[1].estimate->n == 2);  // "c" has one form
  CHECK(report.metrics[2].estimate->value == 0.5);
  CHECK(*report.metrics[2].estimate->low == Approx(wilson(1, 2).low));
}

TEST_CASE("a stable report leaves out what two executions do not share") {
  SummarizeOptions stable;
  stable.stable = true;
  const Report report = report_of(spec_of({"a"}), {record_of("a", 1)}, stable);
  CHECK_FALSE(report.execution);
  CHECK_FALSE(report.usage.requests);
  CHECK(report.usage.prompt_tokens == 10);
  const Report full = report_of(spec_of({"a"}), {record_of("a", 1)});
  CHECK(full.execution->samples_per_s == 0.5);
  CHECK(*full.usage.requests == 1);
}

TEST_CASE(
    "a run costs what its tokens do at the price kept with it, and is not free where one is not known") {
  RunSpec spec = spec_of({"a", "b"});
  std::vector<Record> records = {record_of("a", 1), record_of("b", 0)};
  CHECK_FALSE(report_of(spec, records).usage.cost_usd);
  spec.environment["price"] = to_json(Price{"2026-01-01", 1'000'000, 500'000, 2'000'000});
  records[1].turns[0].completion.cached_tokens = 4;
  const Report priced = report_of(spec, records);
  CHECK(*priced.usage.cost_usd == Approx(1e-6 * (16 + 4 * 0.5 + 4 * 2)));
  CHECK(priced.effort.cost_usd->value == Approx(*priced.usage.cost_usd / 2));
  CHECK(priced.effort.cost_usd->n == 2);
  records[1].turns[0].completion.prompt_tokens = 0;
  const Report unknown = report_of(spec, records);
  CHECK_FALSE(unknown.usage.cost_usd);
  CHECK_FALSE(unknown.effort.cost_usd);
  spec.environment["price"] = "much";
  CHECK_FALSE(report_of(spec, {records[0]}).usage.cost_usd);
}

TEST_CASE("an answer from the cache costs nothing, is no request and has no time") {
  RunSpec spec = spec_of({"a", "b"});
  spec.environment["price"] = to_json(Price{"2026-01-01", 1'000'000, 500'000, 2'000'000});
  std::vector<Record> records = {record_of("a", 1), record_of("b", 0)};
  for (Record& record : records) {
    Timing& timing = record.turns[0].completion.timing;
    timing.done = timing.sent + std::chrono::seconds(record.sample.id == "a" ? 1 : 3);
  }
  records[0].turns[0].completion.from_cache = true;
  const Report report = report_of(spec, records);
  CHECK(*report.usage.cost_usd == Approx(1e-6 * (10 + 2 * 2)));
  CHECK(*report.usage.requests == 1);
  REQUIRE(report.spec.notes.size() == 1);
  CHECK_THAT(report.spec.notes[0], Catch::Contains("1 of 2 answers are from the cache"));
  CHECK(report.usage.prompt_tokens == 20);
  CHECK(report.execution->seconds->mean.value == 3);
  CHECK(report.execution->samples_per_s == 0.5);
  SummarizeOptions stable;
  stable.stable = true;
  CHECK(*report_of(spec, records, stable).usage.cost_usd == Approx(2e-6 * (10 + 2 * 2)));
  records[0].turns[0].completion.prompt_tokens = 0;  // what once was not counted costs nothing now
  CHECK(*report_of(spec, records).usage.cost_usd == Approx(1e-6 * (10 + 2 * 2)));
  CHECK_FALSE(report_of(spec, records, stable).usage.cost_usd);
}

TEST_CASE("prompts that lost their beginning are counted once a sample") {
  std::vector<Record> records = {record_of("a", 1), record_of("b", 1), record_of("c", 0)};
  records[0].turns.push_back(records[0].turns[0]);
  for (Turn& turn : records[0].turns) turn.completion.cut_tokens = 7;
  const Report report = report_of(spec_of({"a", "b", "c"}), records);
  CHECK(report.counts.cut == 1);
  CHECK(report.counts.truncated == 0);
}

TEST_CASE("a run without records has counts and no estimate") {
  const Report report = report_of(spec_of({"a"}), {});
  CHECK(report.counts.total == 1);
  CHECK_FALSE(report.metrics[0].estimate);
}

TEST_CASE("the primary estimate is the report's") {
  MemoryStore store;
  const RunId run = store.begin(spec_of({"a", "b"}), 1);
  CHECK_FALSE(primary_estimate(store, run));
  store.append(run, record_of("a", 1));
  store.append(run, record_of("b", 0));
  CHECK(primary_estimate(store, run)->value == 0.5);
  const ReportSet set = summarize_all(store, {run}, {});
  std::vector<std::string> ids;
  set.records(0, [&](const Record& record) { ids.push_back(record.sample.id); });
  CHECK(ids == std::vector<std::string>{"a", "b"});
}

TEST_CASE("published rows are read and chosen by task") {
  const auto path = std::filesystem::temp_directory_path() / "micius-published-test.json";
  write_file_atomic(path, R"({"source": "s", "note": "n", "rows": [
    {"task": "quiz", "group": "nvidia", "metric": "acc", "values": {"GPT-4": 0.25, "B": 0}},
    {"task": "other", "metric": "acc", "values": {"GPT-4": 1}}]})");
  const auto rows = published_for(read_published(path), "quiz");
  CHECK(published_for(read_published(path), "quiz:hard").size() == rows.size());
  CHECK(published_for(read_published(path), "quiz-hard").empty());
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].model == "GPT-4");
  CHECK(rows[0].group == "nvidia");
  CHECK(rows[0].value == 0.25);
  CHECK(rows[1].source == "s");
  write_file_atomic(path, R"({"source": "s", "note": "n", "rows": [{"tusk": 1}]})");
  CHECK_THROWS_WITH(read_published(path), Catch::Contains("rows[0]") && Catch::Contains("tusk"));
  std::filesystem::remove(path);
}

TEST_CASE("pass@k is made of the repeats") {
  RunSpec spec = spec_of({"a", "b"});
  spec.repeats = 4;
  spec.metrics = {{"pass@1"}};
  for (const int k : {2, 4, 5})
    spec.metrics.push_back({fmt::format("pass@{}", k), "fraction", Direction::kHigherIsBetter,
                            Reduction::kPassAtK, "pass@1", k});
  std::vector<Record> records;
  for (const std::string id : {"a", "b"}) {
    for (int repeat = 0; repeat < (id == "a" ? 4 : 3); ++repeat) {  // b lacks one yet
      Record record = record_of(id, 0);
      record.repeat = repeat;
      record.score.values = {{"pass@1", repeat == 0 ? 1.0 : 0.0}};
      records.push_back(record);
    }
  }
  const Report report = report_of(spec, records);
  REQUIRE(report.metrics.size() == 3);  // there is no pass@5 of 4 repeats
  CHECK(report.metrics[0].estimate->value == Approx((1. / 4 + 1. / 3) / 2));
  CHECK(report.metrics[1].name == "pass@2");
  CHECK(report.metrics[1].estimate->value == Approx((1. / 2 + 2. / 3) / 2));
  CHECK(report.metrics[2].estimate->value == 1);
  CHECK(report.metrics[2].estimate->n == 1);
}

TEST_CASE("answers that are none are told apart") {
  std::vector<Record> records;
  const auto add = [&](const std::string& text, StopReason stop, Verdict verdict = Verdict::kNoAnswer) {
    Record record = record_of(std::to_string(records.size()), 0);
    record.score.verdict = verdict;
    record.turns[0].completion.text = text;
    record.turns[0].completion.stop_reason = stop;
    records.push_back(record);
  };
  add("", StopReason::kStop);
  add("", StopReason::kContentFilter);
  add("I can", StopReason::kContentFilter);
  add("<think>so", StopReason::kLength);
  add("<think>so</think>\n", StopReason::kStop);
  add("no idea", StopReason::kLength);
  add("wrong", StopReason::kStop, Verdict::kIncorrect);
  RunSpec spec = spec_of({});
  for (const Record& record : records) spec.sample_ids.push_back(record.sample.id);
  const Counts counts = report_of(spec, records).counts;
  CHECK(counts.no_answer == 6);
  CHECK(counts.empty == 1);
  CHECK(counts.refused == 2);
  CHECK(counts.think_only == 2);
  CHECK(counts.unparsed == 1);
  CHECK(counts.truncated == 2);
  CHECK(counts.ended == 1);
}

TEST_CASE("what a sample takes is a mean over samples, their repeats averaged first") {
  std::vector<Record> records;
  const auto add = [&](const std::string& id, int tokens, int milliseconds) {
    Record record = record_of(id, 1);
    Completion& c = record.turns[0].completion;
    c.completion_tokens = tokens;
    c.timing.sent = c.timing.planned + std::chrono::seconds(9);
    c.timing.done = c.timing.sent + std::chrono::milliseconds(milliseconds);
    records.push_back(record);
  };
  add("a", 2, 100);
  add("a", 4, 300);
  add("b", 9, 400);
  records.push_back(record_of("c", 0));
  records.back().failure = Failure{"timeout", "late", 3};
  SummarizeOptions options;
  options.allow_failed = true;
  const Report report = report_of(spec_of({"a", "b", "c"}), records, options);
  REQUIRE(report.effort.completion_tokens);
  CHECK(report.effort.completion_tokens->value == 6);
  CHECK(report.effort.completion_tokens->n == 2);
  CHECK(*report.effort.completion_tokens->low == 0);  // of a t interval that goes below
  CHECK(report.effort.prompt_tokens->value == 10);
  CHECK_FALSE(report.effort.prompt_tokens->low);
  const Latency latency = report.execution->seconds.value();
  CHECK(latency.mean.value == Approx(0.3));
  CHECK(latency.p50 == Approx(0.3));
  CHECK(latency.p99 == Approx(0.4));
  CHECK_FALSE(report_of(spec_of({"a"}), {record_of("a", 1)}).execution->seconds);
}

TEST_CASE("two ways of reading an answer are held against each other") {
  RunSpec spec = spec_of({"a", "b", "c"});
  spec.metrics = {{"exact_match,strict-match"}, {"exact_match,flexible-extract"}, {"acc"}};
  std::vector<Record> records;
  for (const auto& [strict, flexible] : {std::pair{1.0, 1.0}, {0.0, 1.0}, {0.0, 1.0}}) {
    records.push_back(record_of(spec.sample_ids[records.size()], 1));
    records.back().score.values = {{"exact_match,strict-match", strict},
                                   {"exact_match,flexible-extract", flexible}};
  }
  const Report report = report_of(spec, records);
  REQUIRE(report.readings.size() == 1);
  CHECK(report.readings[0].metric == "exact_match");
  CHECK(report.readings[0].second == "flexible-extract");
  CHECK(report.readings[0].n == 3);
  CHECK(report.readings[0].only_first == 0);
  CHECK(report.readings[0].only_second == 2);
}

}  // namespace micius
