// Optiflow's scorer: with programs that a stand-in ran, and by the table of cases in the true sandbox.
#include "scorers/optiflow.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "core/names.h"
#include "sandbox/open_sandbox.h"
#include "scorers/lent_services.h"
#include "source_tree.h"

namespace micius {
namespace {

// Gives what it was told and keeps what it was asked. The first call is for Python's version.
class CannedSandbox final : public Sandbox {
 public:
  ExecResult run(const ExecRequest& request) override {
    requests.push_back(request);
    if (requests.size() == 1) return version;
    return result;
  }

  std::vector<ExecRequest> requests;
  ExecResult version, result;
};

std::unique_ptr<Scorer> scorer(Services* services) {
  ScorerContext context;
  context.services = services;
  return scorer_registry().get("optiflow")({"optiflow", Json::object()}, context);
}

// GPUs on one switch; two chunks of 64 KiB a GPU.
Json star(int gpus) {
  const auto size = static_cast<std::size_t>(gpus + 1);
  Json latency(size, Json(size, nullptr)), bandwidth(size, Json(size, 0)), nodes = Json::array();
  for (int gpu = 0; gpu < gpus; ++gpu) {
    nodes.push_back("GPU-" + std::to_string(gpu));
    latency[gpu][gpus] = latency[gpus][gpu] = 0.2;
    bandwidth[gpu][gpus] = bandwidth[gpus][gpu] = 450;
  }
  nodes.push_back("NVSwitch");
  return {{"gpus", gpus}, {"nodes", nodes}, {"latency_us", latency}, {"bandwidth_gbps", bandwidth}};
}

Json machine_named(const std::string& name) {
  if (name == "nvswitch8") return star(8);
  if (name == "pair") return star(2);
  const std::string mark = ",\"" + name + "\"]";  // the last of its tags
  Json machine;
  for_each_line(read_file(source_tree() / "datasets/aimicius/optiflow/test.jsonl"),
                [&](std::string_view line, std::size_t) {
                  if (machine.is_null() && line.find(mark) != std::string_view::npos)
                    machine = parse_json(line, "test.jsonl").at("machine");
                });
  REQUIRE_FALSE(machine.is_null());
  return machine;
}

Sample sample_of(const std::string& machine) {
  Sample sample;
  sample.id = "optiflow-test-nvswitch-0000";
  sample.extra = {{"machine", machine_named(machine)}, {"chunks_per_gpu", 2},  {"bytes_per_gpu", 131072},
                  {"initial_ps", 14'332'172},          {"best_ps", 2'584'540}, {"bound_ps", 2'438'897}};
  return sample;
}

std::vector<Turn> observed(const Scorer& judge, const Sample& sample, const Json& texts) {
  std::vector<Turn> turns;
  for (const Json& text : texts) {
    turns.emplace_back().completion.text = text;
    turns.back().observation = judge.observe(sample, turns);
  }
  return turns;
}

std::optional<double> value_of(const Score& score, const std::string& metric) {
  for (const Value& value : score.values) {
    if (value.metric == metric) return value.value;
  }
  return std::nullopt;
}

const Json kProgram = {"```python\nprint(plan)\n```", "```python\nprint(plan)\n```"};
const char* const kPair =
    R"plan([["D(0, 0): G(0) => G(1)", "D(0, 1): G(0) => G(1)", "D(1, 0): G(1) => G(0)", "D(1, 1): G(1) => G(0)"]])plan";

}  // namespace

TEST_CASE("optiflow runs the program with the machine and nothing else") {
  CannedSandbox sandbox;
  sandbox.version.out = "3.11.7\n";
  sandbox.result.out = kPair;
  Lent services(&sandbox, "");
  const auto judge = scorer(&services);
  const Sample sample = sample_of("pair");
  const auto turns = observed(*judge, sample, kProgram);
  CHECK(
      turns[0].observation ==
      R"({"code":true,"executable":true,"error":"","python":"3.11.7","plan":{"valid":true,"kind":"rounds","steps":4,"redundant":0,"latency_ps":836908,"link_use":[[[0,2,2],[1,2,2],[2,0,2],[2,1,2]]]}})");
  REQUIRE(sandbox.requests.size() == 3);
  const ExecRequest& request = sandbox.requests[1];
  CHECK(request.env == std::vector<std::pair<std::string, std::string>>{{"PYTHONHASHSEED", "0"}});
  CHECK(request.files.empty());
  CHECK(request.limits.processes == 1);
  CHECK(request.limits.output_bytes == 4 << 20);
  const Json job = parse_json(request.stdin_text, "job");
  CHECK(job.at("program") == "print(plan)\n");
  CHECK(job.at("bandwidth") == sample.extra.at("machine").at("bandwidth_gbps"));
  const Score score = judge->score(sample, turns);
  CHECK(score.answer == "0.84 us -> 0.84 us");
  CHECK(score.reason == "best known 2.58 us, bound 2.44 us");
}

TEST_CASE("optiflow says why a program failed") {
  const auto error_after = [](const ExecResult& result) {
    CannedSandbox sandbox;
    sandbox.version.out = "3.11.7\n";
    sandbox.result = result;
    Lent services(&sandbox, "");
    const auto turns = observed(*scorer(&services), sample_of("pair"), kProgram);
    return parse_json(turns[0].observation, "observation").at("error").get<std::string>();
  };
  ExecResult failed;
  failed.exit_code = 1;
  failed.err = "Traceback\n  line 1\nNameError: name 'x' is not defined\n\n";
  CHECK(error_after(failed) == "NameError: name 'x' is not defined");
  failed.err = std::string(1000, 'y');
  CHECK(error_after(failed) == std::string(200, 'y') + "...");
  failed.err = "";
  CHECK(error_after(failed) == "it ended with status 1");
  failed.timed_out = true;
  CHECK(error_after(failed) == "it ran longer than 10 seconds");
}

TEST_CASE("optiflow leaves unscored what it cannot run, and says why") {
  const Sample sample = sample_of("pair");
  Lent none(nullptr, "no bubblewrap: install the Debian package bubblewrap");
  for (Services* services : {static_cast<Services*>(&none), static_cast<Services*>(nullptr)}) {
    const auto judge = scorer(services);
    const Score score = judge->score(sample, observed(*judge, sample, kProgram));
    CHECK(score.verdict == Verdict::kUnscored);
    CHECK(score.values.empty());
    CHECK_FALSE(score.reason.empty());
  }
  CannedSandbox sandbox;
  sandbox.version.exit_code = 127;
  Lent services(&sandbox, "");
  const auto judge = scorer(&services);
  const Score score = judge->score(sample, observed(*judge, sample, kProgram));
  CHECK(score.verdict == Verdict::kUnscored);
  CHECK(score.reason == "no python3 in the sandbox: install the Debian package python3");
}

TEST_CASE("optiflow leaves unscored a record whose second question was never asked") {
  // As `rescore --observe` finds it where the run had no sandbox and now there is one.
  CannedSandbox sandbox;
  sandbox.version.out = "3.11.7\n";
  sandbox.result.out = kPair;
  Lent services(&sandbox, "");
  const auto judge = scorer(&services);
  const Sample sample = sample_of("pair");
  const Score score = judge->score(sample, observed(*judge, sample, {kProgram[0]}));
  CHECK(score.verdict == Verdict::kUnscored);
  CHECK(score.values.empty());
  CHECK(score.reason == "the second plan was never asked for: run the model again where there is a sandbox");
}

TEST_CASE("optiflow judges answers without a program where there is no sandbox") {
  const auto judge = scorer(nullptr);
  const Sample sample = sample_of("pair");
  CHECK(judge->score(sample, observed(*judge, sample, {"", ""})).verdict == Verdict::kNoAnswer);
  const Score score = judge->score(sample, observed(*judge, sample, {kPair, "\xff\x01 no plan"}));
  CHECK(value_of(score, "plan_valid") == 1);
  CHECK(value_of(score, "bound_fraction") == 0);
  CHECK(score.answer == "0.84 us -> no plan");
}

TEST_CASE(
    "optiflow gives its metrics in the task's order, plan_repaired only where there is something to repair") {
  const auto judge = scorer(nullptr);
  const Sample sample = sample_of("pair");
  std::vector<std::string> names;
  for (const Value& value : judge->score(sample, observed(*judge, sample, {"", ""})).values)
    names.push_back(value.metric);
  CHECK(names == judge->metrics());
  CHECK_FALSE(value_of(judge->score(sample, observed(*judge, sample, {kPair, kPair})), "plan_repaired"));
}

TEST_CASE("optiflow scores as the table says, in the true sandbox", "[.slow]") {
  const SandboxOffer offer = open_test_sandbox(1);
  if (!offer.sandbox) {
    WARN("skipped: " << offer.why_not);
    return;
  }
  Lent services(offer.sandbox.get(), "");
  const auto judge = scorer(&services);
  const std::string path = (source_tree() / "tests/scorers/optiflow.jsonl").string();
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, path);
    INFO("line " << number << ": " << row.at("name"));
    const Sample sample = sample_of(row.at("machine"));
    const Score score = judge->score(sample, observed(*judge, sample, row.at("turns")));
    INFO(score.answer << " / " << score.reason);
    CHECK(name_of(score.verdict) == row.at("verdict").get<std::string>());
    CHECK(score.reason.find(row.value("reason", "")) != std::string::npos);
    for (const auto& [metric, wanted] : row.at("values").items()) {
      INFO(metric);
      CHECK(value_of(score, metric).value_or(-1) == Approx(wanted.get<double>()));
    }
  });
}

}  // namespace micius
