#include "tasks/optiflow.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/text.h"
#include "source_tree.h"
#include "tasks/registry.h"

namespace micius {
namespace {

Task make(std::optional<PromptStyle> style = {}, int shots = 0) {
  TaskOptions options;
  options.style = style;
  options.shots = shots;
  options.roots.share = source_tree();
  return task_registry().get("optiflow")(options);
}

Json machine_of(std::size_t nodes) {
  Json names = Json::array();
  for (std::size_t i = 0; i < nodes; ++i) names.push_back("GPU-" + std::to_string(i));
  Json latency(nodes, Json(nodes, nullptr)), bandwidth(nodes, Json(nodes, 0));
  for (std::size_t i = 0; i < nodes; ++i) {
    latency[i][i] = 0;
    bandwidth[i][i] = nullptr;
  }
  latency[0][1] = 0.35;
  latency[1][0] = 1;
  bandwidth[0][1] = 12.5;
  bandwidth[1][0] = 450;
  return {{"gpus", nodes}, {"nodes", names}, {"latency_us", latency}, {"bandwidth_gbps", bandwidth}};
}

Sample sample(std::size_t nodes = 2) {
  Sample s;
  s.id = "optiflow-test-random-0001";
  s.extra = {{"machine", machine_of(nodes)}, {"gpu_count", nodes},   {"chunks_per_gpu", 2},
             {"bytes_per_gpu", 131072},      {"initial", "first\n"}, {"initial_ps", 3},
             {"best", "second\n"},           {"best_ps", 2},         {"bound_ps", 1}};
  return make().prepare(s);
}

const std::vector<Message>& messages(const std::optional<Prompt>& prompt) {
  REQUIRE(prompt);
  return std::get<GenerateInput>(prompt->input).messages;
}

std::string second_question(const std::string& observation) {
  std::vector<Turn> turns(1);
  turns[0].completion.text = "my answer";
  turns[0].observation = observation;
  const std::vector<Message> all = messages(make().next(sample(), {}, turns));
  REQUIRE(all.size() == 3);
  CHECK(all[0] == messages(make().next(sample(), {}, {})).at(0));
  CHECK(all[1] == Message{Role::kAssistant, "my answer"});
  return all[2].content;
}

const std::string kQuestion =
    R"(You schedule an all-gather on a machine with 2 GPUs. Every GPU owns 2 chunks of 65536 bytes; at the end every GPU must hold every chunk.

Latency adjacency matrix (in us).
| | GPU-0 | GPU-1 |
|---|---|---|
| GPU-0 | 0 | 0.35 |
| GPU-1 | 1 | 0 |

Bandwidth adjacency matrix (in GB/s).
| | GPU-0 | GPU-1 |
|---|---|---|
| GPU-0 | inf | 12.5 |
| GPU-1 | 450 | inf |

A step is written D(owner, chunk): G(src) => G(dst): GPU src sends chunk number `chunk` of GPU `owner` to GPU dst. Numbers start at 0.
A plan is a list of steps, or a list of rounds where each round is a list of steps. Print it as a Python list of strings (or of lists of strings).
A GPU can only send a chunk that it owns or has received: in a list, by an earlier step; with rounds, in an earlier round.
Two GPUs can exchange data if there is a link between them or a way through switches, bridges and NICs only. GPUs do not forward by themselves.
Time of a chunk on a link: latency + bytes / bandwidth, link after link. In a list, sends over the same link start one after another in list order and
each pays the latency. In a round, all steps run together, sends over the same link share it and the latency is paid once; the next round starts when all have ended.

Initial Plan.
```python
first
```

Write a Python program that prints a plan with less latency. Answer with one Python code block.)";
const std::string kAgain = "\nWrite a new Python program that prints a plan with less latency.";

}  // namespace

TEST_CASE("optiflow asks with both matrices, the rules and a first program") {
  CHECK(messages(make().next(sample(), {}, {})) == std::vector<Message>{{Role::kUser, kQuestion}});
}

TEST_CASE("optiflow lists the links of a large machine") {
  const std::string text = messages(make().next(sample(19), {}, {})).at(0).content;
  CHECK(
      text.find("\n\nLinks.\nGPU-0 -> GPU-1: 0.35 us, 12.5 GB/s\nGPU-1 -> GPU-0: 1 us, 450 GB/s\n\nA step") !=
      std::string::npos);
  CHECK(messages(make().next(sample(18), {}, {})).at(0).content.find("Links.") == std::string::npos);
}

TEST_CASE("optiflow tells what the first answer's plan took") {
  CHECK(second_question(
            R"({"code":true,"error":"","plan":{"valid":true,"redundant":0,"latency_ps":7784540}})") ==
        "Latency. 7.78 us" + kAgain);
  CHECK(second_question(
            R"({"code":true,"error":"","plan":{"valid":true,"redundant":80,"latency_ps":5858356}})") ==
        "Latency. 5.86 us\nYour plan repeats 80 deliveries that bring nothing new." + kAgain);
  CHECK(
      second_question(
          R"({"code":true,"error":"","plan":{"valid":false,"code":"empty","error":"the plan has no steps"}})") ==
      "The plan is not valid: the plan has no steps." + kAgain);
  CHECK(second_question(
            R"({"code":true,"error":"NameError: x","plan":{"valid":false,"code":"empty","error":"e"}})") ==
        "The program failed: NameError: x." + kAgain);
  CHECK(second_question(
            R"({"code":false,"plan":{"valid":false,"code":"empty","error":"the plan has no steps"}})") ==
        "No Python code was found." + kAgain);
  CHECK(second_question(
            R"({"code":false,"plan":{"valid":false,"code":"no_link","error":"there is no link"}})") ==
        "The plan is not valid: there is no link." + kAgain);
}

TEST_CASE("optiflow asks twice and only of what could be run") {
  std::vector<Turn> turns(1);
  CHECK_FALSE(make().next(sample(), {}, turns));
  turns[0].observation = R"({"unscored":"no sandbox"})";
  CHECK_FALSE(make().next(sample(), {}, turns));
  turns[0].observation = R"({"code":false,"plan":{"valid":false,"code":"empty","error":"e"}})";
  CHECK(make().next(sample(), {}, turns));
  turns.push_back(turns[0]);
  CHECK_FALSE(make().next(sample(), {}, turns));
  CHECK(make().turn_max_tokens == std::vector<int>{2048, 2048});
}

TEST_CASE("optiflow shots stand in the first turn alone") {
  const std::vector<Sample> shots = {sample()};
  const std::string answer = "```python\nsecond\n```";
  const Task chat = make(PromptStyle::kTurns, 1);
  CHECK(messages(chat.next(sample(), shots, {})) ==
        std::vector<Message>{{Role::kUser, kQuestion}, {Role::kAssistant, answer}, {Role::kUser, kQuestion}});
  const Task text = make(PromptStyle::kText, 1);
  CHECK(messages(text.next(sample(), shots, {})) ==
        std::vector<Message>{{Role::kUser, "Question: " + kQuestion + "\nAnswer: " + answer +
                                               "\n\nQuestion: " + kQuestion + "\nAnswer:"}});
  CHECK(text.options.stop == std::vector<std::string>{"\nQuestion:"});
  CHECK(chat.options.stop.empty());
}

TEST_CASE("optiflow answers with the first program, then with the best") {
  CHECK(make().reference(sample(), {}) == "```python\nfirst\n```");
  CHECK(make().reference(sample(), std::vector<Turn>(1)) == "```python\nsecond\n```");
  CHECK(sample().targets == std::vector<std::string>{"second\n"});
}

TEST_CASE("optiflow names what is wrong with a case") {
  Sample s = sample();
  s.extra["bytes_per_gpu"] = 131073;
  CHECK_THROWS_WITH(make().prepare(s), Catch::Contains("131073 bytes a GPU cannot be divided into 2 chunks"));
  s = sample();
  s.extra["machine"]["latency_us"].erase(0);
  CHECK_THROWS_WITH(make().prepare(s), Catch::Contains("field 'latency_us' must be 2 lists of 2 numbers"));
  s = sample();
  s.extra.erase("best");
  CHECK_THROWS_WITH(make().prepare(s), Catch::Contains("field 'best' is missing"));
  TaskOptions options;
  options.params = {{"mode", "fast"}};
  CHECK_THROWS_AS(task_registry().get("optiflow")(options), Error);
}

}  // namespace micius
