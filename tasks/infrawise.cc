#include "tasks/infrawise.h"

#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr const char* kFolder = "datasets/aimicius/infrawise/";
constexpr int kFirstTurnTokens = 256, kSecondTurnTokens = 128;

constexpr const char* kTurn1 =
    R"(Turn a question about infrastructure benchmarks into a JSON object {"Design": {"Target": ..., "Baseline": ...}, "Criterion": ..., "Workload": ...}.
Target is the GPU or virtual machine that is asked about, named as in the question; Baseline is what it is compared with, or "".
Criterion is how they are judged, "default" if nothing is said. Workload is what runs, "default" if nothing is named.
)";

constexpr const char* kExample =
    R"(Question: Is the H100 better value than the A100 for BERT-Large training?
{"Design": {"Target": "H100", "Baseline": "A100"}, "Criterion": "cost effectiveness", "Workload": "BERT-Large training"}
)";

constexpr const char* kTurn2 =
    R"(Here are benchmark records, one JSON object a line. Select every record whose hardware or sku fits the Target or the Baseline and whose
workload is the Workload of this request. Similar is not enough: FP16 and FP8, reduce and allreduce, matmul and cuBLAS functions are
different workloads. Answer with the index numbers separated by commas, or None if no record fits. No explanation.
)";

enum class Mode { kEndToEnd, kDcw, kOracle };

// What the prompts need besides the sample.
struct Dialogue {
  Mode mode = Mode::kEndToEnd;
  PromptStyle style = PromptStyle::kTurns;
  std::string system;
  std::string lists;  // the closed vocabulary as text, or ""
};

std::string quoted(const Json& value) { return dump_json(value); }

// A DCW as the example in the prompt writes it.
std::string dcw_text(const Json& dcw) {
  const Json& design = dcw.at("Design");
  return fmt::format(R"({{"Design": {{"Target": {}, "Baseline": {}}}, "Criterion": {}, "Workload": {}}})",
                     quoted(design.at("Target")), quoted(design.at("Baseline")), quoted(dcw.at("Criterion")),
                     quoted(dcw.at("Workload")));
}

std::string indices_text(const Json& matches) {
  std::vector<std::string> numbers;
  for (const Json& index : matches) numbers.push_back(index.dump());
  return numbers.empty() ? "None" : join(numbers, ", ");
}

std::string names_of(const Json& entries, const std::string& where) {
  std::vector<std::string> names;
  for (const Json& entry : entries) names.push_back(JsonFields(entry, where).string("name"));
  return join(names, ", ");
}

std::string vocabulary_lists(const DataRoots& roots) {
  const auto path = roots.share / kFolder / "vocabulary.json";
  const std::string where = path.string();
  const Json vocabulary = parse_json(read_file(path), where);
  const JsonFields fields(vocabulary, where);
  return fmt::format("Designs: {}\nCriteria: {}\nWorkloads: {}\n", names_of(fields.at("designs"), where),
                     names_of(fields.at("criteria"), where), names_of(fields.at("workloads"), where));
}

std::vector<Message> opening(const Dialogue& dialogue) {
  if (dialogue.system.empty()) return {};
  return {{Role::kSystem, dialogue.system}};
}

// Turn 1. Chat: a shot is a user and an assistant turn, the instructions stand in the first user turn. Text:
// with shots they and the question are written as Question and Answer; without, as the paper's prompt.
GenerateInput ask_dcw(const Dialogue& dialogue, const Sample& sample, std::span<const Sample> shots) {
  std::string text = kTurn1 + dialogue.lists + kExample;
  std::vector<Message> messages = opening(dialogue);
  for (const Sample& shot : shots) {
    const std::string answer = dcw_text(shot.extra.at("dcw"));
    if (dialogue.style == PromptStyle::kTurns) {
      messages.push_back({Role::kUser, std::exchange(text, "") + "Question: " + shot.input});
      messages.push_back({Role::kAssistant, answer});
    } else {
      text += fmt::format("Question: {}\nAnswer: {}\n\n", shot.input, answer);
    }
  }
  text += "Question: " + sample.input;
  if (dialogue.style != PromptStyle::kTurns && !shots.empty()) text += "\nAnswer:";
  messages.push_back({Role::kUser, std::move(text)});
  return {std::move(messages)};
}

GenerateInput ask_records(const Dialogue& dialogue, const Sample& sample, const Json& dcw) {
  std::string text = fmt::format("{}Request: {}", kTurn2, dcw_text(dcw));
  for (const Json& candidate : sample.extra.at("candidates")) text += "\n" + dump_json(candidate);
  std::vector<Message> messages = opening(dialogue);
  messages.push_back({Role::kUser, std::move(text)});
  return {std::move(messages)};
}

std::optional<Prompt> next_prompt(const Dialogue& dialogue, const Sample& sample,
                                  std::span<const Sample> shots, std::span<const Turn> turns) {
  if (turns.empty()) {
    if (dialogue.mode == Mode::kOracle)
      return Prompt{sample.id, ask_records(dialogue, sample, sample.extra.at("dcw"))};
    return Prompt{sample.id, ask_dcw(dialogue, sample, shots)};
  }
  if (dialogue.mode != Mode::kEndToEnd || turns.size() != 1 || turns[0].observation.empty())
    return std::nullopt;
  const std::string where = "observation of " + sample.id;
  const Json observation = parse_json(turns[0].observation, where);
  return Prompt{sample.id, ask_records(dialogue, sample, JsonFields(observation, where).at("dcw"))};
}

// Checks what the prompts and the scorer read, so that a broken case is named before anything is asked.
Sample prepare(Sample sample) {
  const JsonFields fields(sample.extra, sample.id);
  const JsonFields dcw = fields.object("dcw");
  const JsonFields design = dcw.object("Design");
  for (const char* name : {"Target", "Baseline"}) design.string(name);
  for (const char* name : {"Criterion", "Workload"}) dcw.string(name);
  for (const char* name : {"candidates", "matches"}) {
    if (!fields.at(name).is_array()) {
      fail(ErrorCode::kInvalidData, "{}: field '{}' must be a list, found {}", sample.id, name,
           fields.at(name).type_name());
    }
  }
  for (const Json& index : fields.at("matches")) {
    if (!index.is_number_integer()) {
      fail(ErrorCode::kInvalidData, "{}: field 'matches' must hold integers, found {}", sample.id,
           index.type_name());
    }
  }
  sample.targets = {dcw_text(fields.at("dcw"))};
  return sample;
}

// The value of a parameter that is one of `known`, the first by default.
std::string choice(const JsonFields& params, const std::string& name, const std::vector<std::string>& known) {
  std::string value = params.string_or(name, known.front());
  for (const std::string& one : known) {
    if (one == value) return value;
  }
  fail(ErrorCode::kUsage, "{}: unknown {} '{}'{}; known: {}", params.where(), name, value,
       did_you_mean(value, known), join(known, ", "));
}

std::vector<MetricInfo> metrics_of(Mode mode) {
  std::vector<std::string> names;
  if (mode == Mode::kEndToEnd) {
    names = {"bench_accuracy",          "target",  "baseline", "criterion", "workload", "dcw", "bench_recall",
             "bench_accuracy_not_none", "bench_f1"};
  } else if (mode == Mode::kOracle) {
    names = {"bench_accuracy", "bench_recall", "bench_accuracy_not_none", "bench_f1"};
  } else {
    names = {"dcw", "target", "baseline", "criterion", "workload"};
  }
  if (mode != Mode::kOracle) {
    names.insert(names.end(), {"target_words", "baseline_words", "criterion_words", "workload_words"});
  }
  std::vector<MetricInfo> metrics;
  for (std::string& name : names) metrics.push_back({.name = std::move(name)});
  return metrics;
}

Spec split_of(const std::string& split) {
  return {"jsonl",
          {{"path", kFolder + split + ".jsonl"}, {"root", "share"}, {"id", "id"}, {"input", "question"}}};
}

std::vector<int> token_limits(Mode mode) {
  if (mode == Mode::kDcw) return {kFirstTurnTokens};
  if (mode == Mode::kOracle) return {kSecondTurnTokens};
  return {kFirstTurnTokens, kSecondTurnTokens};
}

}  // namespace

Task make_infrawise_task(const TaskOptions& options) {
  const JsonFields params(options.params, "task 'infrawise'");
  params.only({"mode", "vocabulary"});
  const std::string mode_name = choice(params, "mode", {"end-to-end", "dcw", "oracle"});
  const std::string vocabulary = choice(params, "vocabulary", {"shown", "hidden"});
  Dialogue dialogue;
  dialogue.mode = mode_name == "dcw" ? Mode::kDcw : mode_name == "oracle" ? Mode::kOracle : Mode::kEndToEnd;
  dialogue.style = options.style.value_or(PromptStyle::kTurns);
  dialogue.system = options.system;
  if (vocabulary == "shown") dialogue.lists = vocabulary_lists(options.roots);

  Task task;
  task.name = "infrawise";
  task.suite = "aimicius";
  task.summary = "Find the published benchmark records that answer a question about GPU infrastructure";
  task.dataset = split_of("test");
  task.scorer = {"infrawise", {{"mode", mode_name}}};
  task.shots = options.shots.value_or(0);
  task.shot_source = {{split_of("dev")}, ShotRule::kFirstOfGroup};
  task.style = dialogue.style;
  task.turn_max_tokens = token_limits(dialogue.mode);
  task.options.max_tokens = task.turn_max_tokens.front();
  if (dialogue.style == PromptStyle::kText && task.shots > 0) task.options.stop = {"\nQuestion:"};
  task.metrics = metrics_of(dialogue.mode);
  task.breakdowns = {"group", "slice", "difficulty", "source", "tags"};
  task.cluster = "family";
  task.params = {{"mode", mode_name}, {"vocabulary", vocabulary}};
  if (!options.system.empty()) task.params["system"] = options.system;
  task.prepare = prepare;
  task.next = [dialogue](const Sample& sample, std::span<const Sample> shots, std::span<const Turn> turns) {
    return next_prompt(dialogue, sample, shots, turns);
  };
  task.reference = [mode = dialogue.mode](const Sample& sample, std::size_t turn) {
    const bool asks_dcw = turn == 0 && mode != Mode::kOracle;
    return asks_dcw ? sample.targets.front() : indices_text(sample.extra.at("matches"));
  };
  return task;
}

}  // namespace micius
