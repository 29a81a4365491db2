#include "tasks/infrawise.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/text.h"
#include "source_tree.h"
#include "tasks/registry.h"

namespace micius {
namespace {

Task make(const Json& params = Json::object(), std::optional<PromptStyle> style = {}, int shots = 0) {
  TaskOptions options;
  options.params = params;
  options.style = style;
  options.shots = shots;
  options.roots.share = source_tree();
  return task_registry().get("infrawise")(options);
}

Sample sample(const std::string& question, const std::string& target) {
  Sample s;
  s.id = "infrawise-test-single-0001";
  s.input = question;
  s.extra = {
      {"dcw",
       {{"Design", {{"Target", target}, {"Baseline", ""}}},
        {"Criterion", "default"},
        {"Workload", "LINPACK"}}},
      {"candidates",
       {{{"hardware", "NVIDIA H100"}, {"sku", nullptr}, {"index", 0}}, {{"hardware", "L4"}, {"index", 1}}}},
      {"matches", {0}}};
  return s;
}

const std::vector<Message>& messages(const std::optional<Prompt>& prompt) {
  REQUIRE(prompt);
  return std::get<GenerateInput>(prompt->input).messages;
}

std::vector<Turn> after_turn_1(const std::string& observation) {
  std::vector<Turn> turns(1);
  turns[0].observation = observation;
  return turns;
}

const std::string kInstruction =
    R"(Turn a question about infrastructure benchmarks into a JSON object {"Design": {"Target": ..., "Baseline": ...}, "Criterion": ..., "Workload": ...}.
Target is the GPU or virtual machine that is asked about, named as in the question; Baseline is what it is compared with, or "".
Criterion is how they are judged, "default" if nothing is said. Workload is what runs, "default" if nothing is named.
)";
const std::string kExample =
    R"(Question: Is the H100 better value than the A100 for BERT-Large training?
{"Design": {"Target": "H100", "Baseline": "A100"}, "Criterion": "cost effectiveness", "Workload": "BERT-Large training"}
)";
const std::string kSelect =
    R"(Here are benchmark records, one JSON object a line. Select every record whose hardware or sku fits the Target or the Baseline and whose
workload is the Workload of this request. Similar is not enough: FP16 and FP8, reduce and allreduce, matmul and cuBLAS functions are
different workloads. Answer with the index numbers separated by commas, or None if no record fits. No explanation.
)";
const std::string kLinpackH100 =
    R"({"Design": {"Target": "H100", "Baseline": ""}, "Criterion": "default", "Workload": "LINPACK"})";

}  // namespace

TEST_CASE("infrawise asks for the DCW first") {
  const Sample s = sample("How fast is LINPACK on H100?", "H100");
  const std::string question = "Question: How fast is LINPACK on H100?";
  CHECK(messages(make({{"vocabulary", "hidden"}}).next(s, {}, {})) ==
        std::vector<Message>{{Role::kUser, kInstruction + kExample + question}});
  const std::string shown = messages(make().next(s, {}, {})).at(0).content;
  CHECK(shown.rfind(kInstruction + "Designs: NDv2, NDv4, NDmv4, ", 0) == 0);
  CHECK(shown.find("\nCriteria: default, peak performance, cost effectiveness, ") != std::string::npos);
  CHECK(shown.find(", kernel launch time, default\n" + kExample + question) != std::string::npos);
}

TEST_CASE("infrawise shots are turns of a chat or questions and answers in a text") {
  const std::vector<Sample> shots = {sample("First?", "H100"), sample("Second?", "L4")};
  const Sample s = sample("Third?", "H100");
  const std::string answer_2 = replace_all(kLinpackH100, "H100", "L4");
  const Json hidden = {{"vocabulary", "hidden"}};
  CHECK(messages(make(hidden, PromptStyle::kTurns, 2).next(s, shots, {})) ==
        std::vector<Message>{{Role::kUser, kInstruction + kExample + "Question: First?"},
                             {Role::kAssistant, kLinpackH100},
                             {Role::kUser, "Question: Second?"},
                             {Role::kAssistant, answer_2},
                             {Role::kUser, "Question: Third?"}});
  const Task text = make(hidden, PromptStyle::kText, 2);
  CHECK(messages(text.next(s, shots, {})) ==
        std::vector<Message>{{Role::kUser, kInstruction + kExample + "Question: First?\nAnswer: " +
                                               kLinpackH100 + "\n\nQuestion: Second?\nAnswer: " + answer_2 +
                                               "\n\nQuestion: Third?\nAnswer:"}});
  CHECK(text.options.stop == std::vector<std::string>{"\nQuestion:"});
  CHECK(make().options.stop.empty());
}

TEST_CASE("infrawise turn 2 holds the model's own DCW and nothing of turn 1") {
  const Sample s = sample("How fast is LINPACK on H100?", "H100");
  const std::string records =
      "\n{\"hardware\":\"NVIDIA H100\",\"sku\":null,\"index\":0}\n{\"hardware\":\"L4\",\"index\":1}";
  const auto turns = after_turn_1(
      R"({"dcw":{"Design":{"Target":"a \"b\"","Baseline":""},"Criterion":"default","Workload":"HPL"}})");
  CHECK(
      messages(make().next(s, {}, turns)) ==
      std::vector<Message>{
          {Role::kUser,
           kSelect +
               R"(Request: {"Design": {"Target": "a \"b\"", "Baseline": ""}, "Criterion": "default", "Workload": "HPL"})" +
               records}});
  CHECK_FALSE(make().next(s, {}, after_turn_1("")));
  CHECK_FALSE(make().next(s, {}, std::vector<Turn>(2)));
  CHECK(messages(make({{"mode", "oracle"}}).next(s, {}, {})) ==
        std::vector<Message>{{Role::kUser, kSelect + "Request: " + kLinpackH100 + records}});
  CHECK_FALSE(make({{"mode", "oracle"}}).next(s, {}, std::vector<Turn>(1)));
  CHECK_FALSE(make({{"mode", "dcw"}}).next(s, {}, turns));
}

TEST_CASE("infrawise knows the right answer of each turn") {
  Sample s = make().prepare(sample("?", "H100"));
  CHECK(s.targets == std::vector<std::string>{kLinpackH100});
  CHECK(make().reference(s, std::vector<Turn>(0)) == kLinpackH100);
  CHECK(make().reference(s, std::vector<Turn>(1)) == "0");
  CHECK(make({{"mode", "oracle"}}).reference(s, std::vector<Turn>(0)) == "0");
  s.extra["matches"] = {3, 7};
  CHECK(make().reference(s, std::vector<Turn>(1)) == "3, 7");
  s.extra["matches"] = Json::array();
  CHECK(make().reference(s, std::vector<Turn>(1)) == "None");
}

TEST_CASE("infrawise has the paper's metrics first and a limit for each turn") {
  const Task task = make();
  CHECK(task.metrics.front().name == "bench_accuracy");
  CHECK(task.metrics.size() == 13);
  CHECK(task.turn_max_tokens == std::vector<int>{256, 128});
  CHECK(make({{"mode", "dcw"}}).metrics.front().name == "dcw");
  CHECK(make({{"mode", "oracle"}}).turn_max_tokens == std::vector<int>{128});
  CHECK(task.cluster == "family");
}

TEST_CASE("infrawise names what is wrong with a parameter or a case") {
  CHECK_THROWS_WITH(
      make({{"mode", "retrieve"}}),
      "task 'infrawise': unknown mode 'retrieve' (did you mean 'retrieved'?); known: end-to-end, dcw, "
      "oracle, retrieved");
  CHECK_THROWS_WITH(
      make({{"mode", "oracel"}}),
      "task 'infrawise': unknown mode 'oracel' (did you mean 'oracle'?); known: end-to-end, dcw, oracle, "
      "retrieved");
  CHECK_THROWS_AS(make({{"vocab", "shown"}}), Error);
  Sample s = sample("?", "H100");
  s.extra["matches"] = {"0"};
  CHECK_THROWS_WITH(make().prepare(s), Catch::Contains("field 'matches' must hold integers, found string"));
  s.extra.erase("dcw");
  CHECK_THROWS_WITH(make().prepare(s), Catch::Contains("field 'dcw' is missing"));
}

}  // namespace micius
