// Prompts against those that lm-evaluation-harness sends, byte for byte.
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "core/shots.h"
#include "datasets/registry.h"
#include "shared_files.h"
#include "tasks/registry.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 1234;
const std::string kNul(1, '\0');

// What the chat template of SmolLM2-Instruct makes of messages, with the generation prompt.
std::string smollm2_chat(const std::vector<Message>& messages) {
  std::string text;
  if (messages.front().role != Role::kSystem) {
    text =
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
        "Face<|im_end|>\n";
  }
  for (const Message& message : messages) {
    const char* role = message.role == Role::kSystem ? "system"
                       : message.role == Role::kUser ? "user"
                                                     : "assistant";
    text += fmt::format("<|im_start|>{}\n{}<|im_end|>\n", role, message.content);
  }
  return text + "<|im_start|>assistant\n";
}

// A task over the data folder, with its prompts as a model reads them.
class Prompts {
 public:
  Prompts(const std::string& name, int shots, PromptStyle style) {
    TaskOptions options;
    options.shots = shots;
    options.style = style;
    task_ = task_registry().get(name)(options);
    const DataRoots roots{"/nowhere", data_folder()};
    dataset_ = dataset_registry().get(task_.dataset.name)(task_.dataset, roots);
    if (const auto pool = choose_shot_pool(task_, roots))
      pool_ = dataset_registry().get(pool->dataset.name)(pool->dataset, roots);
    picker_ = std::make_unique<ShotPicker>(task_, *dataset_, pool_.get(), kSeed);
  }

  std::size_t size() const { return dataset_->size(); }
  Sample sample(std::size_t doc) const { return task_.prepare(dataset_->at(doc)); }
  std::vector<Sample> shots(std::size_t doc) { return picker_->shots_for(doc); }

  std::vector<Pair> pairs(std::size_t doc) {
    const std::vector<Sample> examples = shots(doc);
    const auto prompt = task_.next(sample(doc), examples, {});
    const auto& input = std::get<LikelihoodInput>(prompt->input);
    std::vector<Pair> pairs = input.pairs;
    for (Pair& pair : pairs) {
      if (!input.messages.empty()) pair.context = smollm2_chat(input.messages) + pair.context;
    }
    return pairs;
  }

 private:
  Task task_;
  std::unique_ptr<Dataset> dataset_, pool_;
  std::unique_ptr<ShotPicker> picker_;
};

bool skip(const fs::path& vectors, const std::string& task) {
  for (const fs::path& path : {vectors, data_folder() / "general" / task / "test.jsonl"}) {
    if (fs::exists(path)) continue;
    WARN("skipped: no " << path.string());
    return true;
  }
  return false;
}

// Vectors were made with the validation split in the place of the training split.
void check_documents(const std::string& file, const std::string& task, int shots, PromptStyle style) {
  const fs::path path = vector_folder() / "lm_eval" / (file + ".jsonl");
  if (skip(path, task)) return;
  Prompts prompts(task, shots, style);
  std::size_t requests = 0;
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, fmt::format("{}:{}", file, number));
    const auto doc = row.at("doc").get<std::size_t>();
    INFO(file << " doc " << doc);
    const Sample sample = prompts.sample(doc);
    CHECK(sample.id == std::to_string(doc));
    CHECK(sample.extra.at("gold") == row.at("gold"));
    if (row.contains("shots_drawn")) {
      std::vector<std::string> ids;
      for (const Sample& shot : prompts.shots(doc)) ids.push_back(shot.id);
      std::vector<std::string> drawn;
      for (const Json& index : row.at("shots_drawn")) drawn.push_back(index.dump());
      CHECK(ids == drawn);
    }
    const std::vector<Pair> pairs = prompts.pairs(doc);
    REQUIRE(pairs.size() == row.at("requests").size());
    for (std::size_t i = 0; i < pairs.size(); ++i, ++requests) {
      const Json& request = row.at("requests")[i];
      CHECK(pairs[i].continuation == request.at("continuation"));
      CHECK(sha256_hex(pairs[i].context + kNul + pairs[i].continuation) == request.at("prompt_sha256"));
      CHECK(code_points(sample.choices[i]) == row.at("choice_code_points")[i]);
    }
  });
  CHECK(requests > 100);
}

// Every document of the data by a digest of all its requests.
void check_digests(const std::string& file, const std::string& task, int shots, PromptStyle style) {
  const fs::path path = vector_folder() / "lm_eval" / "prompts" / (file + ".tsv");
  if (skip(path, task)) return;
  Prompts prompts(task, shots, style);
  std::size_t documents = 0, different = 0;
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    if (number == 1) return;
    const std::vector<std::string_view> cells = split(line, '\t');
    const std::vector<Pair> pairs = prompts.pairs(std::stoul(std::string(cells[1])));
    std::string all;
    for (const Pair& pair : pairs) {
      if (!all.empty()) all += kNul;
      all += pair.context + kNul + pair.continuation;
    }
    ++documents;
    if (std::to_string(pairs.size()) != cells[2] || sha256_hex(all).substr(0, 16) != cells[3]) ++different;
  });
  INFO(file);
  CHECK(documents == prompts.size());
  CHECK(different == 0);
}

}  // namespace

TEST_CASE("lm-eval's prompts, document by document") {
  check_documents("arc_easy", "arc_easy", 0, PromptStyle::kText);
  check_documents("arc_challenge", "arc_challenge", 0, PromptStyle::kText);
  check_documents("openbookqa", "openbookqa", 0, PromptStyle::kText);
  check_documents("arc_easy_5shot", "arc_easy", 5, PromptStyle::kText);
  check_documents("arc_easy_chat", "arc_easy", 0, PromptStyle::kTurns);
}

TEST_CASE("lm-eval's prompts, every document by digest") {
  check_digests("arc_easy", "arc_easy", 0, PromptStyle::kText);
  check_digests("arc_challenge", "arc_challenge", 0, PromptStyle::kText);
  check_digests("openbookqa", "openbookqa", 0, PromptStyle::kText);
  check_digests("arc_easy_chat", "arc_easy", 0, PromptStyle::kTurns);
}

TEST_CASE("lm-eval's prompts with shots, every document by digest") {
  check_digests("arc_challenge_25shot", "arc_challenge", 25, PromptStyle::kText);
  check_digests("arc_easy_5shot", "arc_easy", 5, PromptStyle::kText);
  check_digests("openbookqa_5shot", "openbookqa", 5, PromptStyle::kText);
  check_digests("arc_easy_5shot_chat", "arc_easy", 5, PromptStyle::kTurns);
  check_digests("arc_easy_5shot_chat_singleturn", "arc_easy", 5, PromptStyle::kOneTurn);
}

}  // namespace micius
