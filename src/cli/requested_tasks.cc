#include "cli/requested_tasks.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/flags.h"
#include "tasks/registry.h"

namespace micius {
namespace {

constexpr const char* kLetterNote =
    "the letter of a choice was asked for, since the model gives no log-likelihoods: acc_letter compares "
    "with no acc";

}  // namespace

void add_task_flags(Flags& flags, TaskFlags& values) {
  flags.add("--shots", values.shots, "Few-shot examples (default: the task's)").at_least(0);
  flags
      .add("--chat-template", values.chat_template,
           "auto: tasks written as messages use the model's template; on: all tasks; off: none")
      .one_of({"auto", "on", "off"})
      .show_default();
  flags.add("--shots-as", values.shots_as, "With a template: shots as chat turns, or in the text of one turn")
      .one_of({"turns", "text"})
      .show_default();
  flags.add("--system", values.system, "System message before everything").type("TEXT");
  flags.add("--task-params", values.params, "Parameters of the task as JSON, {\"mode\": \"oracle\"}")
      .type("JSON");
  flags
      .add("--profile", values.profile,
           "Whose scoring of choices: lm-eval's, or llama.cpp's means of log-likelihoods a token")
      .one_of({"lm-eval", "llama.cpp"})
      .show_default();
}

RequestedTasks::RequestedTasks(TaskFlags flags, DataRoots roots, std::uint64_t seed, SetupContext context)
    : flags_(std::move(flags)), roots_(std::move(roots)), seed_(seed), context_(std::move(context)) {
  std::map<std::string, std::vector<std::string>> left_out;  // by what is missing of which suite
  for (const TaskRequest& request : expand_tasks(join(flags_.tasks, ","), task_registry().names())) {
    try {
      tasks_.push_back({request, set_up(request, Json::object())});
    } catch (const Error& error) {
      const bool missing = error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kUnsupported;
      if (!missing || !request.suite) throw;
      left_out[fmt::format("left out of {}: {}", *request.suite, error.what())].push_back(request.name);
    }
  }
  warn_of(left_out);
  if (tasks_.empty()) fail(ErrorCode::kNotFound, "no task is left to run");
}

void RequestedTasks::warn_of(const std::map<std::string, std::vector<std::string>>& left_out) const {
  constexpr std::size_t kNamed = 3;
  for (const auto& [why, tasks] : left_out) {
    const std::size_t named = std::min(tasks.size(), kNamed), more = tasks.size() - named;
    const std::vector<std::string> names(tasks.begin(), tasks.begin() + static_cast<std::ptrdiff_t>(named));
    context_.log.warning(fmt::format("{}{} {} {}", join(names, ", "),
                                     more > 0 ? fmt::format(" and {} more", more) : "",
                                     named > 1 ? "are" : "is", why));
  }
}

TaskOptions RequestedTasks::options() const {
  TaskOptions options;
  options.shots = flags_.shots;
  options.system = flags_.system;
  options.roots = roots_;
  if (!flags_.params.empty()) options.params = parse_json(flags_.params, "--task-params");
  if (!options.params.is_object()) fail(ErrorCode::kUsage, "--task-params: expected an object");
  if (flags_.profile != "lm-eval") options.params["profile"] = flags_.profile;
  if (flags_.chat_template == "off") options.style = PromptStyle::kText;
  if (flags_.chat_template == "on")
    options.style = flags_.shots_as == "text" ? PromptStyle::kOneTurn : PromptStyle::kTurns;
  return options;
}

// With --shots-as text, a task that is asked as a chat by itself is so asked.
TaskSetup RequestedTasks::set_up(const TaskRequest& request, const Json& more_params) const {
  const std::string source = request.file ? request.file->string() : request.name;
  TaskOptions options = this->options();
  options.params.update(more_params);
  if (!options.shots && flags_.profile == "lm-eval") options.shots = request.shots;
  TaskSetup setup = set_up_task(source, options, seed_, context_);
  if (flags_.shots_as == "turns" || options.style == PromptStyle::kOneTurn) return setup;
  if (setup.task.style == PromptStyle::kText) {
    fail(ErrorCode::kUsage, "--shots-as text: '{}' is asked without a chat template; add --chat-template on",
         setup.task.name);
  }
  options.style = PromptStyle::kOneTurn;
  return set_up_task(source, options, seed_, context_);
}

const TaskSetup& RequestedTasks::setup_for(std::size_t task, const RunnerInfo& model) {
  const auto& [request, own] = tasks_[task];
  if (model.weighs || !has_letter_form(own.task)) return own;
  const auto known = letter_setups_.find(task);
  if (known != letter_setups_.end()) return known->second;
  TaskSetup letter = set_up(request, {{"form", "letter"}});
  letter.notes.insert(letter.notes.begin(), kLetterNote);
  context_.log.warning(kLetterNote);
  return letter_setups_.emplace(task, std::move(letter)).first->second;
}

bool RequestedTasks::any_weighs_choices() const {
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [](const Asked& task) { return weighs_choices(task.setup); });
}

}  // namespace micius
