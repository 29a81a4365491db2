// Writes the HTML page of made-up runs, for the tests that open it in a browser:
//   write_page report|comparison|suites MODELS SAMPLES FILE
// suites: one sample of each suite whose samples are shown in a way of their own, whatever the numbers.
// A sample has a group, a difficulty, two metrics and, as it happens, no answer, a cut one or one that holds
// markup.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "memory_store.h"
#include "pipeline/compare.h"
#include "pipeline/summarize.h"
#include "reports/comparison.h"
#include "reports/registry.h"

namespace micius {
namespace {

// 0..99, evenly spread and the same everywhere.
std::uint32_t draw(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = (a + 1) * 0x9e3779b97f4a7c15U ^ (b + 1) * 0xbf58476d1ce4e5b9U;
  x = (x ^ x >> 30) * 0x94d049bb133111ebU;
  return static_cast<std::uint32_t>((x ^ x >> 31) % 100);
}

RunSpec spec_of(const std::string& model, std::size_t samples) {
  RunSpec spec;
  spec.task = spec.task_source = "made_up";
  spec.suite = "user";
  spec.dataset = {"made_up.jsonl", std::string(64, 'd'), samples};
  for (std::size_t i = 0; i < samples; ++i) spec.sample_ids.push_back(fmt::format("made-up-{:06}", i));
  spec.model = {model, "engine", std::string(64, 'a'), ""};
  spec.scorer = "exact";
  spec.metrics = {{"accuracy"}, {"part"}};
  spec.breakdowns = {"group", "difficulty"};
  return spec;
}

Record record_of(std::size_t model, std::size_t i, const std::string& id) {
  const bool right = draw(i, model) < 60 - 15 * model, silent = !right && draw(i, 10 + model) < 10;
  Record record;
  record.sample.id = id;
  record.sample.input =
      fmt::format("Question {}: which of {} things is the right one, and why?", i, draw(i, 20));
  record.sample.targets = {fmt::format("thing {}", i % 7)};
  record.sample.extra = {{"group", fmt::format("group {}", i % 6)}, {"difficulty", static_cast<int>(i % 3)}};
  const std::string answer = silent ? "" : fmt::format("thing {}", right ? i % 7 : i % 7 + 1);
  Turn turn;
  turn.prompt = {
      id, GenerateInput{{{Role::kSystem, "Answer with one thing."}, {Role::kUser, record.sample.input}}}};
  turn.completion.text = silent ? "" : fmt::format("I say <b>it</b> is {}.", answer);
  turn.completion.stop_reason = draw(i, 30 + model) < 5 ? StopReason::kLength : StopReason::kStop;
  turn.completion.prompt_tokens = 30 + static_cast<int>(draw(i, 40) / 10);
  turn.completion.completion_tokens = 5 + static_cast<int>(draw(i, 50 + model) / (4 - model % 3));
  turn.completion.timing.done =
      turn.completion.timing.sent + std::chrono::milliseconds(20 + draw(i, 60 + model) * (model + 1));
  record.turns = {turn};
  record.score = {silent  ? Verdict::kNoAnswer
                  : right ? Verdict::kCorrect
                          : Verdict::kIncorrect,
                  {{"accuracy", right ? 1.0 : 0.0}, {"part", right ? 1.0 : draw(i, 70 + model) / 100.0}},
                  answer,
                  right ? "the same text" : fmt::format("not thing {}", i % 7)};
  return record;
}

ReportSet made_up(MemoryStore& store, std::size_t models, std::size_t samples, Incomparable incomparable) {
  std::vector<RunId> runs;
  for (std::size_t model = 0; model < models; ++model) {
    const RunSpec spec = spec_of(fmt::format("model-{}", model + 1), samples);
    runs.push_back(store.begin(spec, 1));
    for (std::size_t i = 0; i < samples; ++i)
      store.append(runs.back(), record_of(model, i, spec.sample_ids[i]));
    store.finish(runs.back(), RunStatus::kComplete, 60'000'000'000, std::nullopt);
  }
  ReportSet set = summarize_all(store, runs, {});
  CompareOptions options;
  options.incomparable = incomparable;
  options.groups = incomparable == Incomparable::kRefuse;
  set.comparisons = compare(store, runs, options);
  return set;
}

Json effect_json(const std::string& out) {
  return {{"exit", 0},
          {"stdout", out},
          {"stderr", ""},
          {"files", Json::object()},
          {"state_diff", Json::object()},
          {"programs", {"nvidia-smi"}},
          {"env", Json::array()},
          {"columns", Json::array()}};
}

// Two commands: a line that differs in what is masked alone, one that differs, one that is the same.
Record command_record() {
  Record record = record_of(0, 0, "command-1");
  record.sample.extra = {{"compare", {"exit", "stdout"}}, {"platform", "nvidia"}};
  record.turns[0].observation = dump_json({{"answer", effect_json("GPU 0: 41C\nfan 30\nend <b>\n")},
                                           {"reference", effect_json("GPU 0: 39C\nfan 50\nend <b>\n")}});
  return record;
}

// Two turns on two GPUs and a switch; the first plan is of two rounds, the second is not valid.
Record plan_record() {
  Record record = record_of(0, 0, "plan-1");
  record.sample.extra = {{"machine",
                          {{"gpus", 2},
                           {"nodes", {"GPU-0", "GPU-1", "Switch"}},
                           {"latency_us", {{0, nullptr, 0.5}, {nullptr, 0, 0.5}, {0.5, 0.5, 0}}},
                           {"bandwidth_gbps", {{nullptr, 0, 200}, {0, nullptr, 200}, {200, 200, nullptr}}}}},
                         {"initial_ps", 8'000'000},
                         {"best_ps", 3'000'000},
                         {"bound_ps", 2'500'000}};
  record.turns.push_back(record.turns[0]);
  const Json rounds = Json::parse("[[[0,2,3],[2,1,3]],[[1,2,1],[2,0,1]]]");
  record.turns[0].observation = dump_json({{"plan",
                                            {{"valid", true},
                                             {"kind", "rounds"},
                                             {"steps", 4},
                                             {"latency_ps", 4'000'000},
                                             {"link_use", rounds}}}});
  record.turns[1].observation = dump_json({{"plan", {{"valid", false}, {"error", "step 1: no such GPU"}}}});
  return record;
}

ReportSet suites(MemoryStore& store) {
  std::vector<RunId> runs;
  for (const auto& [task, record] :
       {std::pair("cmdgen", command_record()), std::pair("optiflow", plan_record())}) {
    RunSpec spec = spec_of("model-1", 0);
    spec.task = spec.scorer = task;
    spec.sample_ids = {record.sample.id};
    runs.push_back(store.begin(spec, 1));
    store.append(runs.back(), record);
    store.finish(runs.back(), RunStatus::kComplete, 1'000'000, std::nullopt);
  }
  ReportSet set = summarize_all(store, runs, {});
  const Json mask = {
      {"pattern", "\\b\\d+(C)\\b"}, {"with", "<v>\\1"}, {"text", "similar"}, {"programs", {"nvidia-*"}}};
  set.scorer_rules["cmdgen"] = {{"masks", Json::array({mask})}, {"readings", Json::array()}};
  return set;
}

}  // namespace
}  // namespace micius

int main(int argc, char** argv) {
  using namespace micius;
  if (argc != 5) {
    std::cerr << "usage: write_page report|comparison|suites MODELS SAMPLES FILE\n";
    return 2;
  }
  const std::string kind = argv[1];
  MemoryStore store;
  const ReportSet set =
      kind == "suites"
          ? suites(store)
          : made_up(store, std::strtoul(argv[2], nullptr, 10), std::strtoul(argv[3], nullptr, 10),
                    kind == "report" ? Incomparable::kNote : Incomparable::kRefuse);
  std::ofstream page(argv[4], std::ios::binary);
  if (kind != "comparison") {
    report_registry().get("html")({})->write(set, page);
  } else {
    write_comparison_html(set, page);
  }
  std::ostringstream comparisons;
  write_comparison_json(set.comparisons, comparisons);
  std::cout << comparisons.str();
  return page.good() ? 0 : 1;
}
