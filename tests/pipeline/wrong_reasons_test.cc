#include "pipeline/wrong_reasons.h"

#include <catch2/catch.hpp>

namespace micius {
namespace {

using Parts = std::vector<std::string>;

Score score_of(Verdict verdict, const std::string& reason) {
  Score score;
  score.verdict = verdict;
  score.reason = reason;
  return score;
}

}  // namespace

TEST_CASE("a reason's parts lose what only one sample has") {
  CHECK(common_parts("") == Parts{});
  CHECK(common_parts("the machine's state differs") == Parts{"the machine's state differs"});
  CHECK(common_parts("records missed: 4; records that do not fit: 8") ==
        Parts{"records missed", "records that do not fit"});
  CHECK(common_parts("Baseline is 'it's T4' instead of 'H100'") == Parts{"Baseline is … instead of …"});
  CHECK(common_parts("exit status 127, not 0: bash: line 1: x: command not found") ==
        Parts{"exit status 127, not 0"});
  CHECK(common_parts("first: SyntaxError: invalid syntax; second: SyntaxError: invalid syntax") ==
        Parts{"first: SyntaxError", "second: SyntaxError"});
  CHECK(common_parts("syntax: expected an expression, not 'a; b'") ==
        Parts{"syntax: expected an expression, not …"});
  CHECK(common_parts("not closed 'a; b") == Parts{"not closed …"});
  CHECK(common_parts("twice: the same; twice: the same") == Parts{"twice: the same"});
  CHECK(common_parts(std::string(500, 'x')).at(0) == std::string(80, 'x') + "…");
}

TEST_CASE("the reasons that wrong answers share are counted, the most frequent first") {
  WrongReasonsTally tally;
  for (int i = 0; i < 3; ++i)
    tally.add(score_of(Verdict::kIncorrect, "records missed: " + std::to_string(i)));
  for (int i = 0; i < 4; ++i) tally.add(score_of(Verdict::kPartial, "no clock read"));
  tally.add(score_of(Verdict::kNoAnswer, "no clock read; records missed: 1"));
  tally.add(score_of(Verdict::kIncorrect, "has its own reason"));
  tally.add(score_of(Verdict::kCorrect, "has its own reason"));
  tally.add(score_of(Verdict::kUnscored, "has its own reason"));
  const WrongAnswers answers = tally.wrong();
  CHECK(answers.n == 9);
  const std::vector<WrongReason>& wrong = answers.reasons;
  REQUIRE(wrong.size() == 2);
  CHECK(wrong[0].words == "no clock read");
  CHECK(wrong[0].n == 5);
  CHECK(wrong[1].words == "records missed");
  CHECK(wrong[1].n == 4);
}

TEST_CASE("no more than eight reasons are named") {
  WrongReasonsTally tally;
  for (int i = 0; i < 18; ++i)
    tally.add(score_of(Verdict::kIncorrect, "reason " + std::string(1, "abcdefghi"[i / 2])));
  const std::vector<WrongReason> wrong = tally.wrong().reasons;
  REQUIRE(wrong.size() == 8);
  CHECK(wrong[0].words == "reason a");
  CHECK(wrong[7].words == "reason h");
}

}  // namespace micius
