#include "core/record_json.h"

#include <catch2/catch.hpp>

namespace micius {
namespace {

Record answered() {
  Record record;
  record.sample.id = "7";
  record.turns.push_back(
      {{"7", GenerateInput{{{Role::kSystem, "Be brief."}, {Role::kUser, "2 + 2?"}}}}, {}, ""});
  record.turns[0].completion.text = "4";
  record.turns[0].completion.prompt_tokens = 9;
  record.turns[0].completion.completion_tokens = 1;
  record.score = {Verdict::kCorrect, {{"acc", 1.0}}, "4", "equal"};
  return record;
}

Record weighed(std::vector<Message> messages) {
  Record record;
  record.sample.id = "8";
  record.turns.push_back({{"8", LikelihoodInput{std::move(messages), {{"Q", " a"}, {"Q", " b"}}}}, {}, ""});
  record.turns[0].completion.likelihoods = {{-1.5, 3, true}, {-2, 1, false}};
  record.turns[0].completion.prompt_text = "<user>";
  return record;
}

}  // namespace

TEST_CASE("a record's line has the fields of the contract, in order") {
  CHECK(dump_json(record_json(RunId{12}, answered())) ==
        R"({"run_id":12,"sample_id":"7","repeat":0,"verdict":"correct","values":{"acc":1.0},"answer":"4",)"
        R"("reason":"equal","turns":[{"prompt":{"messages":[{"role":"system","content":"Be brief."},)"
        R"({"role":"user","content":"2 + 2?"}]},"completion":"4","stop_reason":"stop","prompt_tokens":9,)"
        R"("completion_tokens":1,"observation":""}]})");
}

TEST_CASE("a record's line says what a local model read") {
  Record record = answered();
  record.turns[0].completion.prompt_text = "<user>2 + 2?<end>";
  CHECK(record_json(RunId{1}, record)["turns"][0]["prompt"]["text"] == "<user>2 + 2?<end>");
}

TEST_CASE("pairs have the whole context, with the chat part only where there were messages") {
  const Json plain = record_json(RunId{1}, weighed({}))["turns"][0];
  CHECK(dump_json(plain["prompt"]) ==
        R"({"pairs":[{"context":"Q","continuation":" a"},{"context":"Q","continuation":" b"}]})");
  CHECK(dump_json(plain["likelihoods"]) ==
        R"([{"logprob":-1.5,"tokens":3,"greedy":true},{"logprob":-2.0,"tokens":1,"greedy":false}])");
  CHECK_FALSE(plain.contains("completion"));
  CHECK_FALSE(plain.contains("stop_reason"));
  const Json chat = record_json(RunId{1}, weighed({{Role::kUser, "x"}}))["turns"][0];
  CHECK(chat["prompt"]["pairs"][0]["context"] == "<user>Q");
}

TEST_CASE("pairs with questions of their own have each what a model read of it") {
  Record record = weighed({});
  auto& input = std::get<LikelihoodInput>(record.turns[0].prompt.input);
  input.pairs = {{"", "a", "one?"}, {"", "a", "two?"}};
  record.turns[0].completion.prompt_text = std::string("<user>one?") + kPromptTextSeparator + "<user>two?";
  CHECK(
      dump_json(record_json(RunId{1}, record)["turns"][0]["prompt"]) ==
      R"({"pairs":[{"context":"<user>one?","continuation":"a"},{"context":"<user>two?","continuation":"a"}]})");
  CHECK(prompt_from_json(to_json(record.turns[0].prompt), "test", "8") == record.turns[0].prompt);
}

TEST_CASE("a failed record has its failure and no score") {
  Record record = answered();
  record.failure = Failure{"timeout", "no answer in 60 s", 8};
  record.score = {};
  record.turns[0].completion.failure = record.failure;
  record.turns[0].completion.stop_reason = StopReason::kFailed;
  const Json json = record_json(RunId{1}, record);
  CHECK(dump_json(json["failure"]) == R"({"code":"timeout","message":"no answer in 60 s","attempts":8})");
  for (const char* field : {"verdict", "values", "answer", "reason"}) CHECK_FALSE(json.contains(field));
  CHECK_FALSE(json["turns"][0].contains("completion"));
}

TEST_CASE("prompts and likelihoods go to JSON and back") {
  for (const Record& record : {answered(), weighed({}), weighed({{Role::kAssistant, "\xF0\x9F\x98\x80"}})}) {
    const Turn& turn = record.turns[0];
    CHECK(prompt_from_json(to_json(turn.prompt), "test", record.sample.id) == turn.prompt);
    CHECK(likelihoods_from_json(to_json(turn.completion.likelihoods), "test") == turn.completion.likelihoods);
  }
}

}  // namespace micius
