#include <fstream>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "runners/collecting_sink.h"
#include "runners/registry.h"
#include "temp_dir.h"

namespace micius {
namespace {

const SystemClock kClock;

std::string answer_of(const std::string& model, const std::string& question, const std::string& sample = "1",
                      const std::string& reference = "nvidia-smi -i 3") {
  Request request;
  request.id = RequestId{7};
  request.prompt = {
      sample, GenerateInput{{{Role::kUser, "Hello"}, {Role::kAssistant, "Hi"}, {Role::kUser, question}}}};
  request.reference = reference;
  request.other_reference = "nvidia-smi -i 5";
  CollectingSink sink;
  const auto runner = make_runner(model, {kClock});
  CHECK(runner->info().kind == "scripted");
  CHECK_FALSE(runner->info().weighs);
  runner->submit({request}, sink);
  runner->drain();
  REQUIRE(sink.completions.size() == 1);
  CHECK(sink.completions[0].id == RequestId{7});
  return sink.completions[0].text;
}

const std::string kConversations =
    R"({"id": "a", "messages": [{"role": "user", "content": "Show the power of GPU 3"}, {"role": "assistant", "content": "power"}]}
{"id": "b", "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Reset the clocks"}, {"role": "assistant", "content": "clocks"}]}
)";

}  // namespace

TEST_CASE("scripted models know the answer, or do not") {
  CHECK(answer_of("scripted:verbose", "?").find("```\nnvidia-smi -i 3\n```") != std::string::npos);
  const std::string fenced = answer_of("scripted:verbose", "?", "1", "```python\nprint(1)\n```");
  CHECK(fenced.find("answer:\n\n```python\nprint(1)\n```\n\nIt") != std::string::npos);
  CHECK(answer_of("scripted:parrot", "Cap the power") == "Cap the power");
  CHECK(answer_of("scripted:constant:print(1):2", "?") == "print(1):2");
}

TEST_CASE("errors are a ladder: each step spoils half of what was left") {
  std::size_t right[] = {0, 0, 0, 0};
  for (int i = 0; i < 400; ++i) {
    bool was_wrong = false;
    for (int n = 1; n <= 3; ++n) {
      const std::string model = "scripted:errors:" + std::to_string(n), sample = std::to_string(i);
      const std::string answer = answer_of(model, "?", sample);
      CHECK(answer == answer_of(model, "?", sample));
      right[n] += answer == "nvidia-smi -i 3";
      if (was_wrong) CHECK(answer != "nvidia-smi -i 3");
      was_wrong = answer != "nvidia-smi -i 3";
    }
  }
  CHECK(right[1] > 160);
  CHECK(right[1] < 240);
  CHECK(right[2] > 70);
  CHECK(right[2] < 130);
  CHECK(right[3] > 30);
  CHECK(right[3] < 75);
}

TEST_CASE("a share of the samples is spoiled, always the same ones") {
  std::size_t wrong = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string answer = answer_of("scripted:spoiled:3", "?", std::to_string(i));
    CHECK(answer == answer_of("scripted:spoiled:3", "?", std::to_string(i)));
    if (answer == "nvidia-smi -i 5")
      CHECK(answer_of("scripted:spoiled:30", "?", std::to_string(i)) == answer);
    wrong += answer != "nvidia-smi -i 3";
  }
  CHECK(wrong > 14);
  CHECK(wrong < 50);
  CHECK(answer_of("scripted:spoiled:0", "?") == "nvidia-smi -i 3");
  CHECK(answer_of("scripted:spoiled:100", "?", "1", "nvidia-smi -i 5") == "spoiled");
  CHECK_THROWS_WITH(answer_of("scripted:spoiled:101", "?"), Catch::Contains("give a whole percentage"));
}

TEST_CASE("the nearest conversation answers") {
  const TempDir dir;
  const std::string path = (dir.path() / "tuning.jsonl").string();
  write_file_atomic(path, kConversations);
  CHECK(answer_of("scripted:nearest:" + path, "what power does GPU 1 draw?") == "power");
  CHECK(answer_of("scripted:nearest:" + path, "reset all CLOCKS!") == "clocks");
  const auto runner = make_runner("scripted:nearest:" + path, {kClock});
  CHECK(runner->info().name == "scripted:nearest:tuning.jsonl");
  CHECK(runner->info().sha256.size() == 64);
}

TEST_CASE("a script that is none says what there is") {
  const auto message = [](const std::string& model) {
    try {
      make_runner(model, {kClock});
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(message("scripted:parot").find("did you mean 'parrot'?") != std::string::npos);
  CHECK(message("scripted").find("known: verbose") != std::string::npos);
  CHECK(message("scripted:parrot:x").find("unexpected ':x'") != std::string::npos);
  CHECK(message("scripted:constant").find("needs more") != std::string::npos);
  for (const char* count : {"0", "two", "1x", "-1", "99999"})
    CHECK(message(std::string("scripted:errors:") + count).find("give how many") != std::string::npos);
  CHECK(message("scripted:nearest:/nowhere.jsonl").find("/nowhere.jsonl") != std::string::npos);
}

TEST_CASE("a file without conversations is refused with its line") {
  const TempDir dir;
  const std::string path = (dir.path() / "x.jsonl").string();
  const auto refused = [&](const std::string& text, const std::string& why) {
    write_file_atomic(path, text);
    CHECK_THROWS_WITH(make_runner("scripted:nearest:" + path, {kClock}), Catch::Contains(why));
  };
  refused("", "no conversation");
  refused(kConversations + "{", "x.jsonl:3");
  refused(kConversations + R"({"text": "x"})", "messages");
  refused(R"({"messages": [{"role": "user", "content": "x"}]})", "x.jsonl:1: field 'messages'");
  refused(R"({"messages": [1, 2]})", "x.jsonl:1");
}

}  // namespace micius
