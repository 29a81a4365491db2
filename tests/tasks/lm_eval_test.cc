// Prompts against those that lm-evaluation-harness sends, byte for byte.
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "core/shots.h"
#include "core/task_data.h"
#include "datasets/registry.h"
#include "shared_files.h"
#include "tasks/general_data.h"
#include "tasks/registry.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 1234;
const std::string kNul(1, '\0');

// A file of the vectors and how its prompts were made. Where the training split was not at hand, another one
// stood in its place, as in a data folder without it.
struct SetUp {
  std::string file;
  int shots = 0;
  PromptStyle style = PromptStyle::kText;
};

const std::vector<SetUp> kPrompts = {
    {"arc_challenge"},
    {"arc_challenge_25shot", 25},
    {"arc_easy"},
    {"arc_easy_5shot", 5},
    {"arc_easy_5shot_chat", 5, PromptStyle::kTurns},
    {"arc_easy_5shot_chat_singleturn", 5, PromptStyle::kOneTurn},
    {"arc_easy_chat", 0, PromptStyle::kTurns},
    {"bbh", 3},
    {"boolq"},
    {"boolq_5shot", 5},
    {"gsm8k", 5},
    {"gsm8k_chat", 5, PromptStyle::kTurns},
    {"gsm8k_chat_singleturn", 5, PromptStyle::kOneTurn},
    {"hellaswag"},
    {"hellaswag_5shot", 5},
    {"humaneval"},
    {"lambada_openai"},
    {"mbpp", 3},
    {"mmlu"},
    {"mmlu_5shot", 5},
    {"mmlu_5shot_chat", 5, PromptStyle::kTurns},
    {"mmlu_pro", 5},
    {"openbookqa"},
    {"openbookqa_5shot", 5},
    {"piqa"},
    {"piqa_5shot", 5},
    {"winogrande"},
    {"winogrande_5shot", 5},
    {"winogrande_chat", 0, PromptStyle::kTurns},
};

const std::vector<SetUp> kDocuments = {{"arc_challenge"},
                                       {"arc_easy"},
                                       {"arc_easy_5shot", 5},
                                       {"arc_easy_chat", 0, PromptStyle::kTurns},
                                       {"bbh", 3},
                                       {"boolq"},
                                       {"gsm8k", 5},
                                       {"gsm8k_chat", 5, PromptStyle::kTurns},
                                       {"hellaswag"},
                                       {"hellaswag_5shot", 5},
                                       {"humaneval"},
                                       {"lambada_openai"},
                                       {"mbpp", 3},
                                       {"mmlu"},
                                       {"mmlu_5shot", 5},
                                       {"mmlu_pro", 5},
                                       {"openbookqa"},
                                       {"piqa"},
                                       {"winogrande"},
                                       {"winogrande_5shot", 5}};

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
  Prompts(const std::string& name, const SetUp& set_up, const DataRoots& roots) : style_(set_up.style) {
    TaskOptions options;
    options.shots = set_up.shots;
    options.style = style_;
    options.roots = roots;
    task_ = task_registry().get(name)(options);
    dataset_ = open(choose_dataset(task_, roots).dataset, roots);
    if (const auto pool = choose_shot_pool(task_, roots)) pool_ = open(pool->dataset, roots);
    picker_ = std::make_unique<ShotPicker>(task_, *dataset_, pool_.get(), kSeed);
  }

  std::size_t size() const { return dataset_->size(); }
  ShotRule rule() const { return task_.shot_source.rule; }
  const GenerateOptions& options() const { return task_.options; }
  Sample sample(std::size_t doc) const { return task_.prepare(dataset_->at(doc)); }
  std::vector<Sample> shots(std::size_t doc) { return picker_->shots_for(doc); }

  // Of a task that generates, one pair without a continuation.
  std::vector<Pair> pairs(std::size_t doc) {
    const std::vector<Sample> examples = shots(doc);
    const auto prompt = task_.next(sample(doc), examples, {});
    if (const auto* generate = std::get_if<GenerateInput>(&prompt->input)) {
      return {{style_ == PromptStyle::kText ? generate->messages.front().content
                                            : smollm2_chat(generate->messages),
               ""}};
    }
    const auto& input = std::get<LikelihoodInput>(prompt->input);
    std::vector<Pair> pairs = input.pairs;
    for (Pair& pair : pairs) {
      std::vector<Message> messages = input.messages;
      if (!pair.question.empty()) messages.push_back({Role::kUser, pair.question});
      if (!messages.empty()) pair.context = smollm2_chat(messages) + pair.context;
    }
    return pairs;
  }

 private:
  static std::unique_ptr<Dataset> open(const Spec& spec, const DataRoots& roots) {
    return dataset_registry().get(spec.name)(spec, roots);
  }

  PromptStyle style_;
  Task task_;
  std::unique_ptr<Dataset> dataset_, pool_;
  std::unique_ptr<ShotPicker> picker_;
};

// The tasks of one set-up, each made when its first document comes.
class TaskPrompts {
 public:
  TaskPrompts(const SetUp& set_up, const DataRoots& roots) : set_up_(set_up), roots_(roots) {}
  Prompts& of(const std::string& task) {
    auto& prompts = tasks_[task];
    if (!prompts) prompts = std::make_unique<Prompts>(task, set_up_, roots_);
    return *prompts;
  }
  std::size_t size() const {
    std::size_t sum = 0;
    for (const auto& [name, prompts] : tasks_) sum += prompts->size();
    return sum;
  }

 private:
  SetUp set_up_;
  DataRoots roots_;
  std::map<std::string, std::unique_ptr<Prompts>> tasks_;
};

void check_shots(Prompts& prompts, std::size_t doc, const Json& drawn) {
  std::vector<std::string> expected, ids;
  const bool leaves_out = prompts.rule() == ShotRule::kDrawExcept;
  for (const Json& index : drawn) {
    if (!leaves_out || index != doc) expected.push_back(index.dump());
  }
  for (const Sample& shot : prompts.shots(doc)) ids.push_back(shot.id);
  expected.resize(ids.size());
  CHECK(ids == expected);
}

std::string digest_of(const Pair& pair) { return sha256_hex(pair.context + kNul + pair.continuation); }

std::size_t check_requests(Prompts& prompts, std::size_t doc, const Json& row) {
  const std::vector<Pair> pairs = prompts.pairs(doc);
  if (!row.contains("requests")) {
    CHECK(digest_of(pairs.at(0)) == row.at("prompt_sha256"));
    CHECK(prompts.options().stop == row.at("generation_kwargs").at("until"));
    return 1;
  }
  const Sample sample = prompts.sample(doc);
  if (sample.extra.contains("gold")) CHECK(sample.extra.at("gold") == row.at("gold"));
  REQUIRE(pairs.size() == row.at("requests").size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Json& request = row.at("requests")[i];
    CHECK(pairs[i].continuation == request.at("continuation"));
    CHECK(digest_of(pairs[i]) == request.at("prompt_sha256"));
    if (row.contains("choice_code_points"))
      CHECK(code_points(sample.choices.at(i)) == row.at("choice_code_points")[i]);
  }
  return pairs.size();
}

bool is_listed(std::string_view task) { return task_registry().find(task) != nullptr; }

}  // namespace

TEST_CASE("lm-eval's prompts and shots, document by document") {
  if (!GeneralData::is_there()) {
    WARN("skipped: no data or no vectors");
    return;
  }
  const GeneralData data;
  std::size_t documents = 0, requests = 0, draws = 0;
  for (const SetUp& set_up : kDocuments) {
    TaskPrompts tasks(set_up, data.roots());
    for_each_line(read_file(vector_folder() / "lm_eval" / (set_up.file + ".jsonl")),
                  [&](std::string_view line, std::size_t number) {
                    const Json row = parse_json(line, fmt::format("{}:{}", set_up.file, number));
                    const auto doc = row.at("doc").get<std::size_t>();
                    INFO(set_up.file << " doc " << doc);
                    Prompts& prompts = tasks.of(row.at("task"));
                    CHECK(prompts.sample(doc).id == std::to_string(doc));
                    requests += check_requests(prompts, doc, row);
                    ++documents;
                    if (!row.contains("shots_drawn")) return;
                    check_shots(prompts, doc, row.at("shots_drawn"));
                    ++draws;
                  });
  }
  WARN(documents << " documents with " << requests << " requests and " << draws
                 << " draws of shots are equal");
  CHECK(documents == 723);
  CHECK(requests == 2219);
  CHECK(draws == 102);
}

TEST_CASE("lm-eval's prompts, every document by digest", "[.slow]") {
  if (!GeneralData::is_there()) {
    WARN("skipped: no data or no vectors");
    return;
  }
  const GeneralData data;
  std::size_t all = 0, equal = 0;
  for (const SetUp& set_up : kPrompts) {
    TaskPrompts tasks(set_up, data.roots());
    std::size_t documents = 0, different = 0;
    std::string first;
    for_each_line(
        read_file(vector_folder() / "lm_eval/prompts" / (set_up.file + ".tsv")),
        [&](std::string_view line, std::size_t number) {
          if (number == 1) return;
          const std::vector<std::string_view> cells = split(line, '\t');
          const std::string task(cells[0]);
          if (!is_listed(task)) return;
          const std::vector<Pair> pairs = tasks.of(task).pairs(std::stoul(std::string(cells[1])));
          std::string text;
          for (const Pair& pair : pairs)
            text += (text.empty() ? "" : kNul) + pair.context + kNul + pair.continuation;
          ++documents;
          if (std::to_string(pairs.size()) == cells[2] && sha256_hex(text).substr(0, 16) == cells[3]) return;
          if (different++ == 0) first = line;
        });
    INFO(set_up.file << ", the first that differs: " << first);
    CHECK(documents == tasks.size());
    CHECK(different == 0);
    all += documents;
    equal += documents - different;
  }
  WARN(equal << " of " << all << " documents in " << kPrompts.size() << " set-ups are equal");
  CHECK(all == 86892);
}

}  // namespace micius
