// The engine's verbs as a script uses them: JSON lines in, JSON lines out, in order.
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "engine/gpu.h"
#include "engine/tiny_encoder.h"
#include "engine/tiny_model.h"
#include "source_tree.h"

namespace micius {
namespace {

struct Outcome {
  int exit_code;
  std::vector<Json> lines;
};

Outcome run_verb(const std::filesystem::path& model, const std::string& verb, const std::string& input) {
  const std::string stem = model.string() + "." + verb;
  write_file_atomic(stem + ".in", input);
  const std::string line = "MICIUS_MODEL_DIR= exec '" + built_micius().string() + "' engine " + verb +
                           " --threads 1 --model '" + model.string() + "' <'" + stem + ".in' >'" + stem +
                           ".out'";
  Outcome outcome{run_process({"sh", "-c", line}).exit_code, {}};
  for_each_line(read_file(stem + ".out"), [&](std::string_view text, std::size_t) {
    if (!text.empty()) outcome.lines.push_back(parse_json(text, verb));
  });
  std::filesystem::remove(stem + ".in");
  std::filesystem::remove(stem + ".out");
  return outcome;
}

Outcome run_verb(const TinyModel& model, const std::string& verb, const std::string& input) {
  return run_verb(model.path(), verb, input);
}

TEST_CASE("engine embed: unit vectors in order, bad lines in their place", "[engine]") {
  const TinyEncoder encoder;
  std::string input = R"({"text": "a b"}
{"text": 7}
{"text": "", "special": true}
no
)";
  for (int i = 0; i < 300; ++i)
    input += R"({"text": "a b"})"
             "\n";
  const Outcome outcome = run_verb(encoder.folder(), "embed", input + R"({"text": ""})");
  CHECK(outcome.exit_code == 1);
  REQUIRE(outcome.lines.size() == 305);
  const auto vector = outcome.lines[0]["embedding"].get<std::vector<double>>();
  REQUIRE(vector.size() == 32);
  double square = 0;
  for (const double value : vector) square += value * value;
  CHECK(square == Approx(1));
  for (const std::size_t i : {1U, 2U, 3U}) {
    CHECK_THAT(outcome.lines[i]["error"].get<std::string>(),
               Catch::StartsWith("line " + std::to_string(i + 1) + ": "));
  }
  for (std::size_t i = 4; i < 304; ++i) CHECK(outcome.lines[i] == outcome.lines[0]);
  CHECK(outcome.lines[304]["embedding"] != outcome.lines[0]["embedding"]);
}

TEST_CASE("engine embed: on a GPU, or the error says why not", "[engine]") {
  const TinyEncoder encoder;
  const auto embed_on = [&](const std::string& device) {
    return run_process({"sh", "-c",
                        "echo '{\"text\": \"a\"}' | '" + built_micius().string() +
                            "' engine embed --model '" + encoder.folder().string() + "' --device " + device});
  };
  CHECK_THAT(embed_on("auto").output, Catch::Contains("{\"embedding\""));
  const ProcessResult cuda = embed_on("cuda");
  if (survey_gpus().gpus.empty()) {
    CHECK(cuda.exit_code == 2);
    CHECK_THAT(cuda.output, Catch::Contains("no GPU: ") && Catch::Contains("use --device cpu"));
  } else {
    CHECK(cuda.exit_code == 0);
  }
  CHECK(embed_on("gpu").exit_code == 2);
}

TEST_CASE("engine tokenize: ids and text both ways, bad lines in their place", "[engine]") {
  const TinyModel model;
  const Outcome outcome = run_verb(model, "tokenize",
                                   "{\"text\": \"a\u2028b\"}\n"
                                   "{\"text\": \"<|im_end|>\", \"special\": true}\n"
                                   "{\"text\": \n"
                                   "{\"ids\": [257, 97]}\n"
                                   "{\"ids\": [271]}\n"
                                   "{\"txt\": \"a\"}");
  CHECK(outcome.exit_code == 1);
  REQUIRE(outcome.lines.size() == 6);
  CHECK(outcome.lines[0]["ids"] == Json({97, 0xe2, 0x80, 0xa8, 98}));
  CHECK(outcome.lines[1]["ids"] == Json({257}));
  CHECK(outcome.lines[3]["text"] == "<|im_end|>a");
  for (const std::size_t i : {2U, 4U, 5U}) {
    INFO(i);
    CHECK(outcome.lines[i]["error"].get<std::string>().rfind("line " + std::to_string(i + 1) + ": ", 0) == 0);
  }
}

TEST_CASE("engine loglikelihood: texts and ids agree", "[engine]") {
  const TinyModel model;
  const Outcome outcome = run_verb(model, "loglikelihood",
                                   "{\"context\": \"ab \", \"continuation\": \"c\"}\n"
                                   "{\"context_ids\": [97, 98], \"continuation_ids\": [32, 99]}\n"
                                   "{\"context\": \"a\", \"continuation\": \"\"}\n");
  CHECK(outcome.exit_code == 1);
  REQUIRE(outcome.lines.size() == 3);
  CHECK(outcome.lines[0] == outcome.lines[1]);
  CHECK(outcome.lines[0]["tokens"] == 2);
  CHECK(outcome.lines[0]["logprob"].get<double>() < 0);
  CHECK(outcome.lines[2]["error"].get<std::string>().rfind("line 3: empty_continuation: ", 0) == 0);
}

TEST_CASE("engine logits: the wanted ids in the order asked, the largest first", "[engine]") {
  const TinyModel model;
  const Outcome outcome = run_verb(model, "logits",
                                   "{\"ids\": [97, 98], \"top\": 2, \"want\": [5, 3, 5]}\n"
                                   "{\"text\": \"ab\", \"top\": 271}\n");
  CHECK(outcome.exit_code == 0);
  REQUIRE(outcome.lines.size() == 2);
  const Json &asked = outcome.lines[0], &all = outcome.lines[1];
  CHECK(asked["top"].size() == 2);
  CHECK(asked["want"].size() == 3);
  CHECK(asked["want"][0] == asked["want"][2]);
  CHECK(asked["logsumexp"] == all["logsumexp"]);
  REQUIRE(all["top"].size() == kTinyVocabulary);
  CHECK(all["top"][0] == asked["top"][0]);
  for (std::size_t i = 1; i < all["top"].size(); ++i) {
    CHECK(all["top"][i - 1][1].get<double>() >= all["top"][i][1].get<double>());
  }
}

TEST_CASE("engine generate: a seed gives the same text again, a stop cuts", "[engine]") {
  const TinyModel model;
  const Outcome outcome =
      run_verb(model, "generate",
               "{\"prompt\": \"GPU\", \"max_tokens\": 8, \"temperature\": 1, \"seed\": 7}\n"
               "{\"prompt\": \"GPU\", \"max_tokens\": 8, \"temperature\": 1, \"seed\": 7}\n"
               "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}], \"max_tokens\": 3}\n"
               "{\"prompt\": \"[user]q\\n[assistant]\", \"max_tokens\": 3}\n"
               "{\"messages\": [{\"role\": \"system\", \"content\": \"q\"}]}\n"
               "{\"prompt\": \"GPU\", \"top_p\": 2}\n");
  CHECK(outcome.exit_code == 1);
  REQUIRE(outcome.lines.size() == 6);
  CHECK(outcome.lines[0] == outcome.lines[1]);
  CHECK(outcome.lines[0]["ids"].size() <= 8);
  CHECK(outcome.lines[2] == outcome.lines[3]);
  CHECK(outcome.lines[4]["error"].get<std::string>().find("no system") != std::string::npos);
  CHECK(outcome.lines[5]["error"].get<std::string>().find("top_p") != std::string::npos);
}

TEST_CASE("engine: a line that asks nothing sensible names its field", "[engine]") {
  const TinyModel model;
  struct Case {
    std::string verb, line, message;
  };
  const std::vector<Case> cases = {
      {"generate", R"({"messages": []})", "field 'messages' must be a list of at least one"},
      {"generate", R"({"messages": [{"role": "user", "content": "a"}, {"role": "usr", "content": "b"}]})",
       "messages[1]: field 'role': unknown role 'usr' (did you mean 'user'?)"},
      {"generate", R"({"messages": [{"role": "user", "content": "a"}], "prompt": "a"})",
       "give either field 'messages' or field 'prompt', not both"},
      {"generate", R"({"max_tokens": 3})", "give either field 'messages' or field 'prompt'"},
      {"generate", R"({"prompt": "a", "seed": -1})", "field 'seed' must be from 0"},
      {"generate", R"({"prompt": "a", "max_tokens": 0})", "field 'max_tokens' must be from 1"},
      {"generate", R"({"prompt": "a", "stop": [1]})", "field 'stop'"},
      {"logits", R"({"ids": [1], "text": "a"})", "give either field 'ids' or field 'text', not both"},
      {"logits", R"({"ids": [1], "want": [271]})", "field 'want': token 271"},
      {"loglikelihood", R"({"context": "a", "continuation_ids": [1]})", "field 'continuation' is missing"},
      {"loglikelihood", R"({"context_ids": [1], "continuation_ids": [1], "continuation": "a"})",
       "give either field 'continuation_ids' or field 'continuation', not both"},
      {"tokenize", R"({"ids": [1], "text": "a"})", "give either field 'ids' or field 'text', not both"},
  };
  for (const Case& c : cases) {
    INFO(c.verb << " " << c.line);
    const Outcome outcome = run_verb(model, c.verb, "\n" + c.line);
    CHECK(outcome.exit_code == 1);
    REQUIRE(outcome.lines.size() == 2);
    CHECK_THAT(outcome.lines[1]["error"].get<std::string>(), Catch::StartsWith("line 2: " + c.message));
  }
}

TEST_CASE("model convert: the same weights answer the same, others nearly", "[model]") {
  const TinyModel model;
  const std::string asked = R"({"ids": [1, 2, 3], "want": [0, 7, 9]})";
  const Json before = run_verb(model, "logits", asked).lines.at(0)["want"];
  const std::filesystem::path converted = model.path().string() + ".converted.gguf";
  const auto convert = [&](const std::string& type, const std::filesystem::path& output) {
    return run_process({built_micius().string(), "model", "convert", model.path().string(), "-o",
                        output.string(), "--type", type});
  };
  REQUIRE(convert("keep", converted).exit_code == 0);
  CHECK(run_verb(converted, "logits", asked).lines.at(0)["want"] == before);
  REQUIRE(convert("Q8_0", converted).exit_code == 0);
  const Json after = run_verb(converted, "logits", asked).lines.at(0)["want"];
  CHECK(after != before);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(after[i].get<double>() == Approx(before[i].get<double>()).margin(0.5));
  }
  std::filesystem::remove(converted);

  CHECK(convert("Q3_K", converted).exit_code == 2);
  CHECK(convert("Q8_0", model.path()).exit_code == 2);  // over itself
  CHECK_FALSE(std::filesystem::exists(converted));
  CHECK(run_verb(model, "logits", asked).lines.at(0)["want"] == before);
}

}  // namespace
}  // namespace micius
