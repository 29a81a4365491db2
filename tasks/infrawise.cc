#include "tasks/infrawise.h"

#include <algorithm>
#include <map>
#include <set>
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

enum class Mode { kEndToEnd, kDcw, kOracle, kRetrieved };

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

GenerateInput ask_records(const Dialogue& dialogue, const Json& dcw, const Json& candidates) {
  std::string text = fmt::format("{}Request: {}", kTurn2, dcw_text(dcw));
  for (const Json& candidate : candidates) text += "\n" + dump_json(candidate);
  std::vector<Message> messages = opening(dialogue);
  messages.push_back({Role::kUser, std::move(text)});
  return {std::move(messages)};
}

Json observation_of(const Sample& sample, const Turn& turn) {
  return parse_json(turn.observation, "observation of " + sample.id);
}

std::optional<Prompt> next_prompt(const Dialogue& dialogue, const Sample& sample,
                                  std::span<const Sample> shots, std::span<const Turn> turns) {
  const Json& candidates = sample.extra.at("candidates");
  if (turns.empty()) {
    if (dialogue.mode == Mode::kOracle)
      return Prompt{sample.id, ask_records(dialogue, sample.extra.at("dcw"), candidates)};
    return Prompt{sample.id, ask_dcw(dialogue, sample, shots)};
  }
  if (dialogue.mode == Mode::kDcw || dialogue.mode == Mode::kOracle || turns.size() != 1 ||
      turns[0].observation.empty())
    return std::nullopt;
  const Json observation = observation_of(sample, turns[0]);
  const bool retrieved = dialogue.mode == Mode::kRetrieved;
  return Prompt{sample.id, ask_records(dialogue, observation.at("dcw"),
                                       retrieved ? observation.at("candidates") : candidates)};
}

// Which of the records that were found for a dialogue are relevant to `sample`.
Json found_matches(const Sample& sample, std::span<const Turn> turns) {
  Json matches = Json::array();
  if (turns.empty() || turns[0].observation.empty()) return matches;
  const auto relevant = sample.extra.at("relevant").get<std::set<std::string>>();
  std::int64_t index = 0;
  const Json observation = observation_of(sample, turns[0]);
  for (const Json& id : observation.at("found")) {
    if (relevant.contains(id.get<std::string>())) matches.push_back(index);
    ++index;
  }
  return matches;
}

// What the search of mode `retrieved` should find: the ids of all pool records that match the case's DCW.
class Pool {
 public:
  explicit Pool(const DataRoots& roots) {
    const auto path = roots.share / kFolder / "pool.jsonl";
    for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
      const std::string where = fmt::format("{}:{}", path.string(), number);
      const Json row = parse_json(line, where);
      const JsonFields fields(row, where);
      records_.push_back(
          {fields.string("id"), fields.strings_or("designs", {}), fields.string("workload_key")});
    });
  }

  Json matching(const Json& dcw) const {
    const std::string target = dcw.at("Design").at("Target"), baseline = dcw.at("Design").at("Baseline");
    const std::string workload = dcw.at("Workload");
    Json ids = Json::array();
    for (const Record& record : records_) {
      const auto has = [&](const std::string& design) {
        return std::find(record.designs.begin(), record.designs.end(), design) != record.designs.end();
      };
      const bool design = target.empty() || has(target) || (!baseline.empty() && has(baseline));
      if (design && (workload == "default" || workload == record.workload)) ids.push_back(record.id);
    }
    return ids;
  }

 private:
  struct Record {
    std::string id;
    std::vector<std::string> designs;
    std::string workload;
  };
  std::vector<Record> records_;
};

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
  const std::vector<std::string> parts = {"target", "baseline", "criterion", "workload"};
  std::vector<std::string> names;
  const auto add = [&](const std::vector<std::string>& more) {
    names.insert(names.end(), more.begin(), more.end());
  };
  add({mode == Mode::kDcw ? "dcw" : "bench_accuracy"});
  if (mode != Mode::kOracle) add(parts);
  if (mode == Mode::kEndToEnd || mode == Mode::kRetrieved) add({"dcw"});
  if (mode != Mode::kDcw) add({"bench_recall", "bench_accuracy_not_none", "bench_f1"});
  if (mode == Mode::kRetrieved) add({"recall_at_10"});
  if (mode != Mode::kOracle) {
    for (const std::string& part : parts) add({part + "_words"});
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
  static const std::map<std::string, Mode> kModes = {{"end-to-end", Mode::kEndToEnd},
                                                     {"dcw", Mode::kDcw},
                                                     {"oracle", Mode::kOracle},
                                                     {"retrieved", Mode::kRetrieved}};
  const std::string mode_name = choice(params, "mode", {"end-to-end", "dcw", "oracle", "retrieved"});
  const std::string vocabulary = choice(params, "vocabulary", {"shown", "hidden"});
  Dialogue dialogue;
  dialogue.mode = kModes.at(mode_name);
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
  task.shot_source = {{{split_of("dev")}}, ShotRule::kFirstOfGroup};
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
  if (dialogue.mode == Mode::kRetrieved) {
    task.prepare = [pool = Pool(options.roots)](Sample sample) {
      sample = prepare(std::move(sample));
      sample.extra["relevant"] = pool.matching(sample.extra.at("dcw"));
      return sample;
    };
  }
  task.next = [dialogue](const Sample& sample, std::span<const Sample> shots, std::span<const Turn> turns) {
    return next_prompt(dialogue, sample, shots, turns);
  };
  task.reference = [mode = dialogue.mode](const Sample& sample, std::span<const Turn> turns) {
    if (turns.empty() && mode != Mode::kOracle) return sample.targets.front();
    return indices_text(mode == Mode::kRetrieved ? found_matches(sample, turns) : sample.extra.at("matches"));
  };
  return task;
}

}  // namespace micius
