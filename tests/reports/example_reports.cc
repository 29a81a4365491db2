#include "reports/example_reports.h"

#include <chrono>
#include <utility>

namespace micius {
namespace {

Metric metric(const std::string& name, double value, double low, double high, std::size_t n) {
  Metric m{name, "fraction", Direction::kHigherIsBetter, false, Estimate{value, low, high, 0.05, n, {}, {}}};
  return m;
}

RunSpec spec_of(const std::string& task, const std::string& suite, ModelRef model, std::size_t total) {
  RunSpec spec;
  spec.task = spec.task_source = task;
  spec.suite = suite;
  spec.dataset = {task + "/test.jsonl", std::string(64, 'd'), 960};
  for (std::size_t i = 0; i < total; ++i) spec.sample_ids.push_back(std::to_string(i));
  spec.model = std::move(model);
  spec.scorer = task;
  spec.options.stop = {"\n"};
  return spec;
}

Execution execution_of(int id) {
  Execution e;
  e.id = static_cast<RunId>(id);
  e.started = "2026-01-02T03:04:05Z";
  e.finished = "2026-01-02T03:07:09Z";
  e.wall_ns = 184'000'000'000;
  e.samples_per_s = 5.2;
  e.environment = {{"micius", "0.1.0"}, {"cpu", "Example CPU"}, {"isa", "avx2"}, {"threads", 2}};
  return e;
}

Report infrawise(int id, ModelRef model, double shift) {
  Report report;
  report.spec = spec_of("infrawise", "aimicius", std::move(model), 4);
  report.spec.breakdowns = {"group"};
  report.spec.cluster = "family";
  report.status = RunStatus::kComplete;
  report.counts = {4, 4, 0, 0, 1, 1, 1};
  report.counts.ended = 2;
  report.readings = {{"bench_accuracy", "strict", "flexible", 4, 0, 1}};
  report.wrong = {
      20, {{"records missed", static_cast<std::size_t>(3 + id)}, {"Baseline is <b>… instead of …", 2}}};
  report.effort.tokens = Estimate{15, 12.5, 17.5, 1.2, 4, {}, {}};
  report.effort.prompt_tokens = Estimate{12, {}, {}, {}, 4, {}, {}};
  report.metrics = {metric("bench_accuracy", 0.019 + shift, 0.012 + shift, 0.03 + shift, 4),
                    metric("target", 0.9, 0.85, 0.94, 4)};
  report.metrics[0].primary = true;
  report.metrics[0].floor = 0.168;
  report.metrics[0].ceiling = 1;
  report.metrics[0].estimate->clusters = 3;
  report.metrics[0].estimate->n_effective = 2.6;
  report.groups = {{"group", "single", 3, {metric("bench_accuracy", 0.3, 0.1, 0.6, 3)}},
                   {"group", "<b>vague|x", 1, {metric("bench_accuracy", 0, 0, 0.8, 1)}}};
  report.groups[1].metrics[0].estimate->stderr_.reset();
  report.published = {{"arXiv 2501.13629", "GPT-4", "bench_accuracy", "", 0.413, "other test data"}};
  report.usage = {2'100'000, 0, 0, 44'000, 8, 0, {}};
  report.execution = execution_of(id);
  report.execution->seconds = Latency{Estimate{0.12 + shift, 0.1, 0.6, 0.01, 4, {}, {}}, 0.1, 0.2, 0.6};
  if (report.spec.model.kind == "engine") report.execution->work = {310'000, 2'140'000};
  return report;
}

Report arc(int id, ModelRef model) {
  Report report;
  report.spec = spec_of("arc_easy", "general", std::move(model), 3);
  report.spec.dataset.is_published = false;
  report.spec.notes = {
      "not the published split: the SHA-256 of general/arc_easy/test.jsonl, dddddddddddd, is not the "
      "manifest's"};
  report.status = RunStatus::kStopped;
  report.counts = {3, 1, 0, 1, 0, 0, 0};
  report.metrics = {{"acc_norm", "fraction", Direction::kHigherIsBetter, true, {}},
                    {"acc", "fraction", Direction::kHigherIsBetter, false, {}}};
  report.usage = {900, 0, 0, 0, 2, 6, {}};
  report.execution = execution_of(id);
  return report;
}

std::vector<Record> infrawise_records() {
  std::vector<Record> records = {
      generated_record("0", Verdict::kCorrect, "{\"Design\": 1}"),
      generated_record("1", Verdict::kIncorrect, "</script><script>alert(1)</script>\x1b[31mred\xff"),
      generated_record("2", Verdict::kNoAnswer, ""), generated_record("3", Verdict::kIncorrect, "None")};
  return records;
}

// What the larger model said: the last sample right.
std::vector<Record> better_records() {
  std::vector<Record> records = infrawise_records();
  records.back() = generated_record("3", Verdict::kCorrect, "0");
  return records;
}

Comparison infrawise_comparison() {
  Comparison c;
  c.task = "infrawise";
  c.metric = {"bench_accuracy"};
  c.a = {RunId{12}, 0, "smollm2-135m", Estimate{0.25, 0.01, 0.81, 0.25, 4, {}, {}}, 0, 0};
  c.b = {RunId{13}, 1, "gpt-4o", Estimate{0.5, 0.07, 0.93, 0.29, 4, {}, {}}, 0, 0};
  c.samples = 4;
  c.difference = Estimate{-0.25, -0.75, 0.3, 0.25, 4, 3, 2.6};
  c.interval = "clusters";
  c.counts = {1, 0, 1, 2};
  c.wins = {0, 3, 1};
  c.tests = {{"sign_flips", 1, 1}};
  c.detectable = 0.9;
  c.flips = {{"3", 0, 1, Verdict::kIncorrect, Verdict::kCorrect, "None", "0"}};
  c.notes = {"besides the model the runs differ in options"};
  const Estimate all{1, 0.4, 1, 0.1, 1, {}, {}}, none{0, 0, 0.6, 0.1, 1, {}, {}};
  c.groups = {{"group", "single", none, none, Estimate{0, -0.3, 0.3, 0.1, 3, {}, {}}, 1, 1},
              {"group", "<b>vague|x", none, all, Estimate{-1, -1, -0.21, 0.1, 1, {}, {}}, 0.01, 0.02,
               Finding::kBBetter}};
  return c;
}

std::vector<Record> arc_records() {
  Record failed = weighed_record("1", Verdict::kUnscored, {});
  failed.score = {};
  failed.failure = Failure{"timeout", "no answer within 60 s", 3};
  return {weighed_record("0", Verdict::kCorrect, {-1.25, -3.5}), failed};
}

}  // namespace

Record generated_record(const std::string& id, Verdict verdict, const std::string& text) {
  Record record;
  record.sample.id = id;
  record.sample.input = "Does <it> run?";
  record.sample.targets = {"0"};
  record.sample.extra = {
      {"group", id == "3" ? "<b>vague|x" : "single"},
      {"candidates", {{{"hardware", "A100"}, {"index", 0}}, {{"hardware", "H100"}, {"index", 1}}}},
      {"matches", {0}},
      {"traps", {{"1", "design"}}}};
  Turn turn;
  turn.prompt = {id, GenerateInput{{{Role::kSystem, "Be short."}, {Role::kUser, "Does <it> run?"}}}};
  turn.completion.text = text;
  turn.completion.prompt_tokens = 12;
  turn.completion.completion_tokens = 3;
  turn.completion.timing.done = turn.completion.timing.planned + std::chrono::milliseconds(120);
  record.turns = {turn};
  record.score = {
      verdict, {{"bench_accuracy", verdict == Verdict::kCorrect ? 1.0 : 0.0}}, text, "read as it is"};
  return record;
}

Record weighed_record(const std::string& id, Verdict verdict, std::vector<double> logprobs) {
  Record record;
  record.sample.id = id;
  record.sample.input = "Which one?";
  record.sample.choices = {"red", "blue"};
  record.sample.targets = {"red"};
  record.sample.extra = {{"gold", 0}};
  Turn turn;
  turn.prompt = {id, LikelihoodInput{{}, {{"Which one?", " red"}, {"Which one?", " blue"}}}};
  for (const double logprob : logprobs) turn.completion.likelihoods.push_back({logprob, 1, false});
  record.turns = {turn};
  record.score = {verdict, {{"acc_norm", 1}, {"acc", 1}}, "0", "red is the likeliest"};
  return record;
}

ReportSet example_reports() {
  const ModelRef small{"smollm2-135m", "engine", std::string(64, 'a'), ""};
  const ModelRef large{"gpt-4o", "openai", "", "https://api.example.com/v1"};
  ReportSet set;
  set.reports = {infrawise(12, small, 0), infrawise(13, large, 0.39), arc(14, small)};
  set.reports[1].usage.cost_usd = 5.69;
  set.reports[1].effort.cost_usd = Estimate{1.4225, 1.21, 1.63, 0.1, 4, {}, {}};
  Metric score = metric("suite_score", 0.409, 0.395, 0.423, 4);
  score.primary = true;
  set.aggregates = {{"aimicius", "gpt-4o", {1}, {score}}};
  set.records = [](std::size_t report, const std::function<void(const Record&)>& fn) {
    const auto records = report == 2 ? arc_records() : report == 1 ? better_records() : infrawise_records();
    for (const Record& record : records) fn(record);
  };
  set.comparisons.comparisons = {infrawise_comparison()};
  return set;
}

ReportSet stable_example() {
  ReportSet set = example_reports();
  for (Report& report : set.reports) {
    report.execution.reset();
    report.usage.requests.reset();
    report.usage.retries.reset();
  }
  return set;
}

}  // namespace micius
