#include "reports/command.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"

namespace micius {
namespace {

// As `--model` takes it: a server's models are named KIND:NAME@URL.
std::string model_argument(const RunSpec& spec) {
  const ModelRef& model = spec.model;
  if (!spec.model_source.empty()) return spec.model_source;
  if (!model.is_remote()) return model.name;
  const std::string prefix = model.kind + ":";
  return (model.name.starts_with(prefix) ? "" : prefix) + model.name + "@" + model.url;
}

// Infrawise and the other suites of this project are asked as a chat unless told otherwise, the general tasks
// as text; of a user's own task only the spec knows.
void add_style(const RunSpec& spec, std::string& command) {
  const bool usual = (spec.suite == "aimicius" && spec.style == PromptStyle::kTurns) ||
                     (spec.suite == "general" && spec.style == PromptStyle::kText);
  if (usual) return;
  command += spec.style == PromptStyle::kText ? " --chat-template off" : " --chat-template on";
  if (spec.style == PromptStyle::kOneTurn) command += " --shots-as text";
}

// A task of a file has its prompt and scorer there, and its own parameters are in the file.
void add_task_params(const RunSpec& spec, std::string& command) {
  Json params = spec.task_params;
  if (const auto system = params.find("system"); system != params.end()) {
    command += " --system " + shell_word(system->get<std::string>());
    params.erase(system);
  }
  if (const auto profile = params.find("profile"); profile != params.end()) {
    command += " --profile " + shell_word(profile->get<std::string>());
    params.erase(profile);
  }
  const bool of_file = params.contains("prompt") && params.contains("scorer");
  if (!of_file && !params.empty()) command += " --task-params " + shell_word(dump_json(params));
}

}  // namespace

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,@+=%";
  const bool plain = !word.empty() && word.find_first_not_of(kPlain) == std::string::npos;
  return plain ? word : "'" + replace_all(word, "'", "'\\''") + "'";
}

std::string repeat_command(const RunSpec& spec) {
  const GenerateOptions& o = spec.options;
  std::string command = fmt::format("micius run {} --model {}",
                                    shell_word(spec.task_source.empty() ? spec.task : spec.task_source),
                                    shell_word(model_argument(spec)));
  const auto flag = [&command](std::string_view name, const auto& value) {
    command += fmt::format(" --{} {}", name, value);
  };
  if (!spec.first_samples) {
    flag("sample-ids", shell_word(join(spec.sample_ids, ",")));
  } else if (spec.sample_ids.size() < spec.dataset.samples) {
    flag("limit", spec.sample_ids.size());
  }
  flag("shots", spec.shots);
  if (o.seed != GenerateOptions{}.seed) flag("seed", o.seed);
  if (spec.repeats != 1) flag("repeats", spec.repeats);
  if (spec.turn_max_tokens.empty()) flag("max-tokens", o.max_tokens);
  if (o.temperature != 0) flag("temperature", o.temperature);
  if (o.top_k != 0) flag("top-k", o.top_k);
  if (o.top_p != 1) flag("top-p", o.top_p);
  if (o.min_p != 0) flag("min-p", o.min_p);
  add_style(spec, command);
  add_task_params(spec, command);
  const auto engine_flag = [&](const char* option, const char* name, const char* usual) {
    const std::string value = spec.model_options.value(option, usual);
    if (value != usual) flag(name, value);
  };
  engine_flag("numerics", "numerics", "precise");
  engine_flag("selective_v", "selective-v", "off");
  if (spec.environment.value("gpu", Json()).is_string()) flag("device", "cuda");
  return command;
}

std::string replay_command(RunSpec spec, RunId run) {
  spec.model_source = fmt::format("replay:{}", static_cast<std::int64_t>(run));
  spec.model_options = Json::object();
  spec.environment.erase("gpu");
  spec.first_samples = true;
  spec.dataset.samples = 0;  // no limit
  return repeat_command(spec);
}

}  // namespace micius
