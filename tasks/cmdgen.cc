#include "tasks/cmdgen.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "datasets/aimicius/cmdgen/";
constexpr int kMaxTokens = 256;

// What the prompts need besides the sample. Immutable, shared by the copies of a task.
struct Machines {
  std::map<std::string, std::string> titles;                 // by profile
  std::map<std::string, std::vector<std::string>> listings;  // by fixture: "a.cu", "build/"
};

struct Asking {
  bool bare = false;
  PromptStyle style = PromptStyle::kTurns;
  std::string system;
  std::shared_ptr<const Machines> machines;  // shared: a task is copied freely and the texts never change
};

std::vector<std::string> listing_of(const fs::path& folder, const std::vector<std::string>& programs) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string() + (entry.is_directory() ? "/" : ""));
  for (const std::string& program : programs) {
    const std::size_t slash = program.find('/');
    names.insert(slash == std::string::npos ? program : program.substr(0, slash + 1));
  }
  return {names.begin(), names.end()};
}

Machines read_machines(const fs::path& folder) {
  if (!fs::is_directory(folder / "profiles"))
    fail(ErrorCode::kNotFound, "{}: the suite's folder is not there; is micius installed whole?",
         folder.string());
  Machines machines;
  for (const auto& entry : fs::directory_iterator(folder / "profiles")) {
    if (entry.path().extension() != ".json") continue;
    const std::string where = entry.path().string();
    const Json profile = parse_json(read_file(entry.path()), where);
    const JsonFields fields(profile, where);
    machines.titles[fields.string("name")] = fields.string("title");
  }
  const std::string where = (folder / "normal.json").string();
  const Json rules = parse_json(read_file(where), where);
  const auto programs = JsonFields(rules, where).strings_or("fixture_programs", {});
  for (const auto& entry : fs::directory_iterator(folder / "fixtures"))
    machines.listings[entry.path().filename()] = listing_of(entry.path(), programs);
  return machines;
}

// Does the command name something of the listing, as a word or as the beginning of a path?
bool names_file(const std::string& command, const std::vector<std::string>& listing) {
  static constexpr std::string_view kEnds = " \t\n'\"=,;|&<>()";
  return std::any_of(listing.begin(), listing.end(), [&](const std::string& name) {
    for (std::size_t at = command.find(name); at != std::string::npos; at = command.find(name, at + 1)) {
      const std::size_t end = at + name.size();
      const bool begins = at == 0 || kEnds.find(command[at - 1]) != std::string_view::npos ||
                          (at >= 2 && command.compare(at - 2, 2, "./") == 0);
      if (begins &&
          (name.back() == '/' || end == command.size() || kEnds.find(command[end]) != std::string_view::npos))
        return true;
    }
    return false;
  });
}

std::string instruction(const Asking& asking, const Sample& sample) {
  const JsonFields fields(sample.extra, sample.id);
  const std::string profile = fields.string("profile"), fixture = fields.string_or("fixture", "default");
  const auto title = asking.machines->titles.find(profile);
  const auto listing = asking.machines->listings.find(fixture);
  if (title == asking.machines->titles.end() || listing == asking.machines->listings.end())
    fail(ErrorCode::kInvalidData, "{}: no profile '{}' or no fixture '{}'", sample.id, profile, fixture);
  std::string text = fmt::format("You write shell commands for a Linux machine with {}.", title->second);
  if (names_file(sample.targets.front(), listing->second))
    text += fmt::format(" The current folder holds {}.", join(listing->second, ", "));
  return text + "\nAnswer with one command line and nothing else.\n\n";
}

std::optional<Prompt> ask(const Asking& asking, const Sample& sample, std::span<const Sample> shots,
                          std::span<const Turn> turns) {
  if (!turns.empty()) return std::nullopt;
  std::vector<Message> messages;
  if (!asking.system.empty()) messages.push_back({Role::kSystem, asking.system});
  std::string text = asking.bare ? "" : instruction(asking, sample);
  const bool as_text = asking.style != PromptStyle::kTurns && !shots.empty();
  for (const Sample& shot : shots) {
    if (as_text) {
      text += fmt::format("Question: {}\nAnswer: {}\n\n", shot.input, shot.targets.front());
    } else {
      messages.push_back({Role::kUser, std::exchange(text, "") + shot.input});
      messages.push_back({Role::kAssistant, shot.targets.front()});
    }
  }
  text += as_text ? fmt::format("Question: {}\nAnswer:", sample.input) : sample.input;
  messages.push_back({Role::kUser, std::move(text)});
  return Prompt{sample.id, GenerateInput{std::move(messages)}};
}

// Checks what the prompt and the scorer read, so that a broken case is named before anything is asked.
Sample prepare(Sample sample) {
  const JsonFields fields(sample.extra, sample.id);
  fields.string("profile");
  sample.targets = {fields.string("reference")};
  for (std::string& other : fields.strings_or("accepted", {})) sample.targets.push_back(std::move(other));
  static const std::vector<std::string> kChannels = {"exit", "stdout", "files", "state"};
  for (const std::string& channel : fields.strings_or("compare", kChannels)) {
    if (std::find(kChannels.begin(), kChannels.end(), channel) == kChannels.end())
      fail(ErrorCode::kInvalidData, "{}: field 'compare': unknown channel '{}'{}", sample.id, channel,
           did_you_mean(channel, kChannels));
  }
  return sample;
}

Spec split_of(const std::string& split) {
  return {"jsonl",
          {{"path", kFolder + split + ".jsonl"}, {"root", "share"}, {"id", "id"}, {"input", "request"}}};
}

std::vector<MetricInfo> metrics() {
  std::vector<MetricInfo> infos;
  for (const char* name : {"accuracy", "cmd_score", "output_score", "calibration", "exact_match",
                           "success_ratio", "strict_accuracy", "strict_success", "normal_match", "exact_raw",
                           "calibration_80", "calibration_85", "calibration_95"})
    infos.push_back({.name = name});
  infos.push_back({.name = "similar_only", .direction = Direction::kLowerIsBetter});
  return infos;
}

}  // namespace

Task make_cmdgen_task(const TaskOptions& options) {
  const JsonFields params(options.params, "task 'cmdgen'");
  params.only({"prompt"});
  const std::string prompt = params.string_or("prompt", "machine");
  if (prompt != "machine" && prompt != "bare")
    fail(ErrorCode::kUsage, "{}: unknown prompt '{}'{}; known: machine, bare", params.where(), prompt,
         did_you_mean(prompt, {"machine", "bare"}));
  Asking asking;
  asking.bare = prompt == "bare";
  asking.style = options.style.value_or(PromptStyle::kTurns);
  asking.system = options.system;
  asking.machines = std::make_shared<const Machines>(read_machines(options.roots.share / kFolder));

  Task task;
  task.name = "cmdgen";
  task.suite = "aimicius";
  task.summary = "Write the shell command for a request about a GPU machine";
  task.dataset = split_of("test");
  task.scorer = {"cmdgen", Json::object()};
  task.shots = options.shots.value_or(0);
  task.shot_source = {{{split_of("dev")}}, ShotRule::kFirstOfGroup};
  task.style = asking.style;
  task.options.max_tokens = kMaxTokens;
  if (asking.style == PromptStyle::kText && task.shots > 0) task.options.stop = {"\nQuestion:"};
  task.metrics = metrics();
  task.breakdowns = {"platform", "group", "slice", "difficulty", "source", "tags"};
  task.cluster = "family";
  task.params = {{"prompt", prompt}};
  if (!options.system.empty()) task.params["system"] = options.system;
  task.prepare = prepare;
  task.next = [asking](const Sample& sample, std::span<const Sample> shots, std::span<const Turn> turns) {
    return ask(asking, sample, shots, turns);
  };
  return task;
}

}  // namespace micius
