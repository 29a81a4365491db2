#include "pipeline/tuning.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "pipeline/two_turn_quiz.h"

namespace micius {
namespace {

const QuizScorer kScorer;
constexpr const char* kAgain = R"(Sure? {"turns": 1})";

Sample quiz_sample(const Task& task) {
  const MemoryDataset dataset = quiz_dataset(4);
  Sample sample = task.prepare(dataset.at(3));
  sample.extra["combo"] = "number|3";
  return sample;
}

Json message(const std::string& role, const std::string& content) {
  return {{"role", role}, {"content", content}};
}

// Asks its second question anew, without what was said before.
Task forgetful_quiz() {
  Task task = two_turn_quiz();
  task.next = [next = task.next](const Sample& sample, std::span<const Sample> shots,
                                 std::span<const Turn> turns) {
    std::optional<Prompt> prompt = next(sample, shots, turns);
    if (!prompt) return prompt;
    auto& messages = std::get<GenerateInput>(prompt->input).messages;
    messages.erase(messages.begin(), messages.end() - 1);
    return prompt;
  };
  return task;
}

// Never gets to see what the first turn did.
class BlindScorer final : public Scorer {
 public:
  std::string_view name() const override { return "blind"; }
  Score score(const Sample&, std::span<const Turn>) const override {
    return {Verdict::kUnscored, {}, "", "there is no sandbox"};
  }
};

}  // namespace

TEST_CASE("a conversation of two turns is one line to train on") {
  const Task task = two_turn_quiz();
  const auto lines = tuning_lines(task, kScorer, quiz_sample(task), TuningTurns::kAll, TuningFormat::kChat);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == Json({{"id", "q3"},
                          {"combo", "number|3"},
                          {"turn", 2},
                          {"messages",
                           {message("user", "Which number is 3?"), message("assistant", "3"),
                            message("user", kAgain), message("assistant", "3!")}}}));
}

TEST_CASE("a turn that is asked anew has a line of its own") {
  const Task task = forgetful_quiz();
  const auto lines = tuning_lines(task, kScorer, quiz_sample(task), TuningTurns::kAll, TuningFormat::kChat);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].at("messages") == Json({message("user", "Which number is 3?"), message("assistant", "3")}));
  CHECK(lines[1].at("messages") == Json({message("user", kAgain), message("assistant", "3!")}));
  CHECK(lines[1].at("turn") == 2);
}

TEST_CASE("the first turn alone runs nothing") {
  const Task task = two_turn_quiz();
  const BlindScorer blind;
  const auto lines = tuning_lines(task, blind, quiz_sample(task), TuningTurns::kFirst, TuningFormat::kChat);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("messages").size() == 2);
}

TEST_CASE("alpaca lines keep what was said before as history") {
  Task task = two_turn_quiz();
  task.next = [next = task.next](const Sample& sample, std::span<const Sample> shots,
                                 std::span<const Turn> turns) {
    std::optional<Prompt> prompt = next(sample, shots, turns);
    if (!prompt) return prompt;
    auto& messages = std::get<GenerateInput>(prompt->input).messages;
    messages.insert(messages.begin(), {Role::kSystem, "Be brief."});
    return prompt;
  };
  const auto lines = tuning_lines(task, kScorer, quiz_sample(task), TuningTurns::kAll, TuningFormat::kAlpaca);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == Json({{"id", "q3"},
                          {"combo", "number|3"},
                          {"turn", 2},
                          {"instruction", kAgain},
                          {"input", ""},
                          {"output", "3!"},
                          {"system", "Be brief."},
                          {"history", Json::array({Json::array({"Which number is 3?", "3"})})}}));
}

TEST_CASE("text lines are what a model without a template reads and writes") {
  const Task task = two_turn_quiz();
  const auto lines = tuning_lines(task, kScorer, quiz_sample(task), TuningTurns::kFirst, TuningFormat::kText);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("text") == "Which number is 3?\n\n3");
}

TEST_CASE("what cannot be trained on is refused") {
  Task task = two_turn_quiz();
  const Task choice = choice_quiz();
  CHECK_THROWS_AS(tuning_lines(choice, kScorer, quiz_sample(choice), TuningTurns::kAll, TuningFormat::kChat),
                  Error);
  const BlindScorer blind;
  task.next = [next = task.next](const Sample& sample, std::span<const Sample> shots,
                                 std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty() && turns[0].observation.empty()) return std::nullopt;
    return next(sample, shots, turns);
  };
  CHECK_THROWS_WITH(tuning_lines(task, blind, quiz_sample(task), TuningTurns::kAll, TuningFormat::kChat),
                    "q3: turn 2 cannot be asked: there is no sandbox");
}

}  // namespace micius
