#include "pipeline/plan.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "pipeline/references.h"
#include "pipeline/two_turn_quiz.h"

namespace micius {
namespace {

RunnerInfo model_info() {
  RunnerInfo info;
  info.name = "fake";
  info.kind = "engine";
  info.sha256 = std::string(64, 'b');
  return info;
}

Plan plan_with(const PlanOptions& options, const Task& task = two_turn_quiz(),
               const RunnerInfo& model = model_info()) {
  const MemoryDataset dataset = quiz_dataset(12);
  return make_plan({task, dataset, model, {}, task.name, "pool@1"}, options);
}

std::vector<std::string> ids(const PlanOptions& options) { return plan_with(options).spec.sample_ids; }

}  // namespace

TEST_CASE("a plan takes all samples, the first ones or the named ones, in dataset order") {
  PlanOptions options;
  CHECK(ids(options).size() == 12);
  options.limit = 2;
  CHECK(ids(options) == std::vector<std::string>{"q0", "q1"});
  options.limit = 99;
  CHECK(ids(options).size() == 12);
  options.limit.reset();
  options.sample_ids = {"q7", "q3", "q7"};
  CHECK(ids(options) == std::vector<std::string>{"q3", "q7"});
  CHECK(plan_with(options).chosen == std::vector<std::size_t>{3, 7});
  CHECK(plan_with(options).samples.size() == 12);
}

TEST_CASE("a plan that cannot be made says what to do") {
  PlanOptions options;
  options.sample_ids = {"qq7"};
  CHECK_THROWS_WITH(ids(options), Catch::Contains("quiz.jsonl: no sample 'qq7' (did you mean 'q7'?)"));
  options.limit = 3;
  CHECK_THROWS_WITH(ids(options), Catch::Contains("give one of them"));
  PlanOptions never;
  never.repeats = 0;
  CHECK_THROWS_WITH(ids(never), Catch::Contains("--repeats 0"));

  const Task task = two_turn_quiz();
  const MemoryDataset twins("twins.jsonl", {quiz_dataset(1).at(0), quiz_dataset(1).at(0)});
  CHECK_THROWS_WITH(make_plan({task, twins, model_info(), {}, "", ""}, {}),
                    Catch::Contains("samples 0 and 1 (from 0) have the same id 'q0'"));
}

TEST_CASE("a model that cannot do the task is refused before it is asked") {
  RunnerInfo model = model_info();
  model.weighs = false;
  CHECK_THROWS_WITH(plan_with({}, choice_quiz(), model), Catch::Contains("needs log-likelihoods"));
  model.weighs = true;
  model.generates = false;
  CHECK_THROWS_WITH(plan_with({}, two_turn_quiz(), model), Catch::Contains("needs generated text"));
  Task chat = choice_quiz();
  chat.next = [](const Sample& sample, std::span<const Sample>,
                 std::span<const Turn>) -> std::optional<Prompt> {
    return Prompt{sample.id, LikelihoodInput{{{Role::kUser, "?"}}, {{"", "a"}}}};
  };
  CHECK_THROWS_WITH(plan_with({}, chat, model), Catch::Contains("--chat-template off"));
  model.chat_template = true;
  CHECK(plan_with({}, chat, model).chosen.size() == 12);
}

TEST_CASE("the options of a spec make the same spec again") {
  PlanOptions options;
  CHECK(spec_sha256(plan_with(options_of(plan_with(options).spec)).spec) ==
        spec_sha256(plan_with(options).spec));
  options.limit = 5;
  options.repeats = 3;
  options.seed = 99;
  options.max_tokens = 64;  // the task's own for a turn without its own limit
  options.temperature = 0.7;
  options.top_k = 40;
  options.top_p = 0.9;
  options.min_p = 0.1;
  const RunSpec spec = plan_with(options).spec;
  CHECK(spec.options.temperature == 0.7);
  CHECK(spec.turn_max_tokens.empty());
  CHECK(spec.shot_pool == "pool@1");
  CHECK(spec_sha256(plan_with(options_of(spec)).spec) == spec_sha256(spec));
  PlanOptions own = options;
  own.max_tokens.reset();
  CHECK(spec_sha256(plan_with(own).spec) != spec_sha256(spec));
}

TEST_CASE("a run goes on only as what it was") {
  const RunSpec stored = plan_with({}).spec;
  check_same_spec(stored, plan_with({}).spec, RunId{3});
  Task newer = two_turn_quiz();
  newer.version = 2;
  CHECK_THROWS_WITH(
      check_same_spec(stored, plan_with({}, newer).spec, RunId{3}),
      Catch::Contains("run 3 cannot go on: its task_version is not what it was (1 then, 2 now)"));
}

TEST_CASE("the other answer is that of another sample of the group, the same each time") {
  const Task task = two_turn_quiz();
  const Plan plan = plan_with({});
  const References references(task, plan);
  const Prompt prompt{"q4", GenerateInput{}};
  const std::vector<Turn> one_turn(1);
  std::set<std::string> seen;
  for (int repeat = 0; repeat < 200; ++repeat) {
    const std::string first = references.other(prompt, {4, repeat, {}});
    CHECK(references.other(prompt, {4, repeat, one_turn}) == first + "!");
    seen.insert(first);
  }
  CHECK(seen == std::set<std::string>{"0", "2", "6", "8", "10"});
}

TEST_CASE("a sample that is alone in its group gets the answer of any other") {
  const Task task = two_turn_quiz();
  Plan plan = plan_with({});
  plan.samples.resize(3);  // even: q0 and q2, odd: q1 alone
  const Prompt prompt{"q1", GenerateInput{}};
  std::set<std::string> seen;
  for (int repeat = 0; repeat < 100; ++repeat)
    seen.insert(References(task, plan).other(prompt, {1, repeat, {}}));
  CHECK(seen == std::set<std::string>{"0", "2"});
  plan.samples.resize(1);
  CHECK(References(task, plan).other(prompt, {0, 0, {}}).empty());
}

}  // namespace micius
