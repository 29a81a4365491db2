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
  const bool remote = model.kind == "openai" || model.kind == "azure" || model.kind == "anthropic";
  if (!remote) return model.name;
  const std::string prefix = model.kind + ":";
  std::string argument = model.name.rfind(prefix, 0) == 0 ? model.name : prefix + model.name;
  if (!model.url.empty()) argument += "@" + model.url;
  return argument;
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
  if (spec.sample_ids.size() < spec.dataset.samples) flag("limit", spec.sample_ids.size());
  flag("shots", spec.shots);
  if (o.seed != GenerateOptions{}.seed) flag("seed", o.seed);
  if (spec.repeats != 1) flag("repeats", spec.repeats);
  if (spec.turn_max_tokens.empty()) flag("max-tokens", o.max_tokens);
  if (o.temperature != 0) flag("temperature", o.temperature);
  if (o.top_k != 0) flag("top-k", o.top_k);
  if (o.top_p != 1) flag("top-p", o.top_p);
  if (o.min_p != 0) flag("min-p", o.min_p);
  return command;
}

}  // namespace micius
