#include "tasks/json_task.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "core/dataset_file.h"
#include "core/prompt_builder.h"
#include "tasks/choice_task.h"
#include "tasks/template.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// The file with the lines of its fields.
class TaskFile {
 public:
  TaskFile(std::string_view text, const fs::path& path)
      : path_(path), text_(text), json_(parse_json(text, path.string())) {}

  const fs::path& path() const { return path_; }
  std::string where(const std::vector<std::string>& keys) const {
    return fmt::format("{}:{}", path_.string(), json_line(text_, keys));
  }
  JsonFields root(const std::string& key) const { return JsonFields(json_, where({key})); }
  bool has(const std::string& section) const { return root(section).has(section); }
  const Json& section(const std::string& name) const { return root(name).at(name); }
  // The fields of a section, for reading `key`: messages name its line.
  JsonFields at(const std::string& name, const std::string& key) const {
    const Json& value = section(name);
    if (!value.is_object())
      fail(ErrorCode::kInvalidData, "{}: field '{}' must be an object, found {}", where({name}), name,
           value.type_name());
    return JsonFields(value, where({name, key}));
  }
  // Throws for the first key that is not known; `name` is "" for the file itself.
  void only(const std::string& name, const std::vector<std::string>& known) const {
    const Json& value = name.empty() ? json_ : section(name);
    if (!value.is_object()) at(name, name);
    for (const auto& item : value.items()) {
      if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
      const std::string place = where(name.empty() ? std::vector{item.key()} : std::vector{name, item.key()});
      fail(ErrorCode::kInvalidData, "{}: unknown field '{}'{}", place, item.key(),
           did_you_mean(item.key(), known));
    }
  }
  Template read_template(const std::string& key) const {
    const JsonFields fields = at("prompt", key);
    return Template(fields.string_or(key, ""), fmt::format("{}: field '{}'", fields.where(), key));
  }

 private:
  fs::path path_;
  std::string_view text_;
  Json json_;
};

struct GeneratePrompt {
  Template system, user, assistant_prefix;
};
struct WeighPrompt {
  Template context, continuation;
};

void check_form(const TaskFile& file) {
  file.only(
      "", {"micius_task", "name", "version", "dataset", "prompt", "shots", "generate", "scorer", "metrics"});
  if (const std::int64_t form = file.root("micius_task").integer("micius_task"); form != 1) {
    fail(ErrorCode::kInvalidData, "{}: micius_task {}, this program reads 1", file.where({"micius_task"}),
         form);
  }
}

std::string read_name(const TaskFile& file) {
  std::string name = file.root("name").string("name");
  const std::string allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  if (name.empty() || name.find_first_not_of(allowed) != std::string::npos) {
    fail(ErrorCode::kInvalidData, "{}: field 'name' must be letters, digits, '_', '-' and '.', found '{}'",
         file.where({"name"}), name);
  }
  return name;
}

int read_int(const JsonFields& fields, const std::string& key, std::int64_t fallback, std::int64_t low) {
  const std::int64_t value = fields.integer_or(key, fallback);
  if (value < low || value > 1'000'000)
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be from {} to 1000000, found {}", fields.where(), key,
         low, value);
  return static_cast<int>(value);
}

Spec read_dataset(const TaskFile& file, const TaskFileNames& names) {
  file.only("dataset", {"loader", "path", "id", "input", "targets", "choices"});
  Spec spec{file.at("dataset", "loader").string("loader"), file.section("dataset")};
  if (std::find(names.loaders.begin(), names.loaders.end(), spec.name) == names.loaders.end()) {
    fail(ErrorCode::kUsage, "{}: unknown loader '{}'{}; there are {}", file.where({"dataset", "loader"}),
         spec.name, did_you_mean(spec.name, names.loaders), join(names.loaders, ", "));
  }
  spec.params.erase("loader");
  const fs::path path = file.at("dataset", "path").string("path");
  spec.params["path"] = fs::absolute(file.path().parent_path() / path).lexically_normal().string();
  if (!find_dataset_file(spec, {})) {
    fail(ErrorCode::kNotFound, "{}: field 'path': {}: no such file; a path is relative to the task file",
         file.where({"dataset", "path"}), spec.params["path"].get<std::string>());
  }
  for (const char* key : {"input", "targets"}) file.at("dataset", key).string(key);
  file.at("dataset", "id").string_or("id", "");
  return spec;
}

std::vector<std::string> read_metrics(const TaskFile& file) {
  std::vector<std::string> metrics = file.root("metrics").strings_or("metrics", {});
  if (metrics.empty())
    fail(ErrorCode::kInvalidData, "{}: field 'metrics' must name at least one metric",
         file.where({"metrics"}));
  return metrics;
}

Spec read_scorer(const TaskFile& file, const TaskFileNames& names, const std::vector<std::string>& metrics,
                 bool weighs) {
  Spec spec{file.at("scorer", "name").string("name"), file.section("scorer")};
  spec.params.erase("name");
  if (weighs) spec.params["metrics"] = metrics;
  const std::string where = file.where({"scorer", "name"});
  names.scorer_metrics({spec.name, Json::object()}, where);  // is it there?
  if (weighs != (spec.name == "choice" || spec.name == "continuation")) {
    fail(ErrorCode::kUsage,
         "{}: scorer '{}' does not go with this prompt: 'choice' and 'continuation' go with 'context' and "
         "'continuation', the others with 'user'",
         where, spec.name);
  }
  const std::vector<std::string> given =
      names.scorer_metrics({spec.name, weighs ? Json::object() : spec.params}, where);
  for (const std::string& metric : metrics) {
    if (std::find(given.begin(), given.end(), metric) != given.end()) continue;
    fail(ErrorCode::kUsage, "{}: scorer '{}' does not give metric '{}'{}; it gives {}",
         file.where({"metrics"}), spec.name, metric, did_you_mean(metric, given), join(given, ", "));
  }
  names.scorer_metrics(spec, where);
  return spec;
}

GenerateOptions read_generate(const TaskFile& file) {
  GenerateOptions options;
  if (!file.has("generate")) return options;
  file.only("generate", {"max_tokens", "temperature", "top_k", "top_p", "min_p", "stop"});
  const auto number = [&](const std::string& key, double fallback, double high) {
    const JsonFields fields = file.at("generate", key);
    const double value = fields.number_or(key, fallback);
    if (value >= 0 && value <= high) return value;
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be from 0 to {}, found {}", fields.where(), key, high,
         value);
  };
  options.max_tokens = read_int(file.at("generate", "max_tokens"), "max_tokens", options.max_tokens, 1);
  options.top_k = read_int(file.at("generate", "top_k"), "top_k", options.top_k, 0);
  options.temperature = number("temperature", options.temperature, 100);
  options.top_p = number("top_p", options.top_p, 1);
  options.min_p = number("min_p", options.min_p, 1);
  options.stop = file.at("generate", "stop").strings_or("stop", {});
  return options;
}

int read_shots(const TaskFile& file) {
  if (!file.has("shots")) return 0;
  file.only("shots", {"n", "from"});
  const std::string from = file.at("shots", "from").string_or("from", "first");
  if (from != "first") {
    fail(ErrorCode::kInvalidData, "{}: field 'from': unknown way '{}'{}; there is 'first'",
         file.where({"shots", "from"}), from, did_you_mean(from, {"first"}));
  }
  const JsonFields fields = file.at("shots", "n");
  fields.at("n");
  return read_int(fields, "n", 0, 0);
}

// A target of a task with choices: the text of one, or the index of one.
std::size_t choice_of(const Sample& sample, const Json& target, const std::string& where) {
  const std::string text = *scalar_text(target);
  const auto it = std::find(sample.choices.begin(), sample.choices.end(), text);
  if (it != sample.choices.end() && !target.is_number())
    return static_cast<std::size_t>(it - sample.choices.begin());
  std::size_t index = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, index);
  if (code == std::errc() && stop == end && index < sample.choices.size()) return index;
  fail(ErrorCode::kInvalidData,
       "{}: sample '{}': target '{}' is neither one of its {} choices nor the index of one{}", where,
       sample.id, shorten(text, 60), sample.choices.size(), did_you_mean(text, sample.choices));
}

// Sets "gold" and the targets' texts from the row, so that doing it again changes nothing. `where` names the
// field that says what the targets are.
Sample prepare_choices(Sample sample, const std::string& targets_path, const std::string& where) {
  for (const std::string& choice : sample.choices) {
    if (choice.empty()) fail(ErrorCode::kInvalidData, "{}: sample '{}': a choice is empty", where, sample.id);
  }
  const Json& targets = *find_json(sample.extra, targets_path);  // the loader found it there
  Json gold = Json::array();
  sample.targets.clear();
  for (const Json& target : targets.is_array() ? targets : Json::array({targets})) {
    const std::size_t right = choice_of(sample, target, where);
    gold.push_back(right);
    sample.targets.push_back(sample.choices[right]);
  }
  sample.extra["gold"] = gold.size() == 1 ? gold[0] : gold;
  return sample;
}

std::string without_space_before(const std::string& text) {
  return text.substr(text.rfind(' ', 0) == 0 ? 1 : 0);
}

void weigh(Task& task, const TaskFile& file, const TaskOptions& options) {
  file.only("prompt", {"context", "continuation"});
  for (const char* key : {"context", "continuation"}) file.at("prompt", key).string(key);
  const WeighPrompt prompt{file.read_template("context"), file.read_template("continuation")};
  if (prompt.context.uses("choice") || !prompt.continuation.uses("choice")) {
    fail(ErrorCode::kInvalidData, "{}: '{{{{choice}}}}' belongs in 'continuation' and nowhere else",
         file.where({"prompt", prompt.context.uses("choice") ? "context" : "continuation"}));
  }
  if (!file.at("dataset", "choices").has("choices"))
    fail(ErrorCode::kInvalidData, "{}: a prompt with 'continuation' needs field 'choices'",
         file.where({"dataset", "choices"}));
  const std::string targets_path = file.at("dataset", "targets").string("targets");
  const std::string where = file.where({"dataset", "targets"}) + ": field 'targets'";
  task.style = options.style.value_or(PromptStyle::kText);
  const bool chat = task.style != PromptStyle::kText;
  // In a chat the assistant's turn begins with the choice, so the space before it goes, as in lm-eval.
  const auto continuation = [prompt, chat](const Sample& sample, const std::string& choice) {
    const std::string text = prompt.continuation.render(sample, choice);
    return chat ? without_space_before(text) : text;
  };
  task.prepare = [=](Sample sample) {
    sample = prepare_choices(std::move(sample), targets_path, where);
    prompt.context.render(sample);
    prompt.continuation.render(sample, sample.choices.front());
    return sample;
  };
  task.next = [=, style = task.style, system = options.system](
                  const Sample& sample, std::span<const Sample> shots,
                  std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty()) return std::nullopt;
    PromptParts parts;
    parts.system = system;
    parts.answer_delimiter = "";
    for (const Sample& shot : shots)
      parts.shots.push_back({prompt.context.render(shot), continuation(shot, shot.targets.front())});
    parts.question = prompt.context.render(sample);
    std::vector<std::string> choices;
    for (const std::string& choice : sample.choices) choices.push_back(continuation(sample, choice));
    return Prompt{sample.id, choice_input(parts, style, choices)};
  };
  task.reference = [](const Sample& sample, std::span<const Turn>) {
    const Json& gold = sample.extra.at("gold");
    return (gold.is_array() ? gold[0] : gold).dump();
  };
}

void generate(Task& task, const TaskFile& file, const TaskOptions& options) {
  file.only("prompt", {"system", "user", "assistant_prefix"});
  file.at("prompt", "user").string("user");
  const GeneratePrompt prompt{file.read_template("system"), file.read_template("user"),
                              file.read_template("assistant_prefix")};
  task.options = read_generate(file);
  task.style = options.style.value_or(PromptStyle::kTurns);
  task.prepare = [=](Sample sample) {
    for (const Template* part : {&prompt.system, &prompt.user, &prompt.assistant_prefix})
      part->render(sample);
    return sample;
  };
  const PromptStyle style = task.style == PromptStyle::kOneTurn ? PromptStyle::kOneTurn : PromptStyle::kTurns;
  task.next = [=, system = options.system](const Sample& sample, std::span<const Sample> shots,
                                           std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty()) return std::nullopt;
    PromptParts parts;
    parts.system = system;
    parts.description = prompt.system.render(sample);
    for (const Sample& shot : shots) {
      const std::string answer = join_parts(prompt.assistant_prefix.render(shot), shot.targets.front(), " ");
      parts.shots.push_back({prompt.user.render(shot), answer});
    }
    parts.question = prompt.user.render(sample);
    GenerateInput input{prompt_messages(parts, style)};
    if (std::string prefix = prompt.assistant_prefix.render(sample); !prefix.empty())
      input.messages.push_back({Role::kAssistant, std::move(prefix)});
    return Prompt{sample.id, std::move(input)};
  };
}

}  // namespace

Task parse_task_file(std::string_view text, const fs::path& path, const TaskOptions& options,
                     const TaskFileNames& names) {
  const TaskFile file(text, path);
  check_form(file);
  Task task;
  task.name = read_name(file);
  JsonFields(options.params, task.name).only({});
  task.version = read_int(file.root("version"), "version", 1, 1);
  task.suite = "user";
  task.summary = "The task of " + path.filename().string();
  task.dataset = read_dataset(file, names);
  task.shots = options.shots.value_or(read_shots(file));
  task.shot_source = {{{task.dataset}}, ShotRule::kFirstExcept};
  const Json& prompt = file.section("prompt");
  const bool weighs = prompt.is_object() && (prompt.contains("context") || prompt.contains("continuation"));
  if (weighs && file.has("generate"))
    fail(ErrorCode::kInvalidData, "{}: a prompt with 'continuation' generates nothing; leave 'generate' out",
         file.where({"generate"}));
  weighs ? weigh(task, file, options) : generate(task, file, options);
  const std::vector<std::string> metrics = read_metrics(file);
  task.scorer = read_scorer(file, names, metrics, weighs);
  for (const std::string& metric : metrics) task.metrics.push_back({metric});
  task.params["prompt"] = prompt;
  task.params["scorer"] = task.scorer.params;
  task.params["fields"] = task.dataset.params;
  task.params["fields"].erase("path");
  if (!options.system.empty()) task.params["system"] = options.system;
  return task;
}

Task read_task_file(const fs::path& path, const TaskOptions& options, const TaskFileNames& names) {
  return parse_task_file(MappedFile(path).text(), path, options, names);
}

}  // namespace micius
