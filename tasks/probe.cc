#include "tasks/probe.h"

#include <utility>

#include "base/json.h"

namespace micius {
namespace {

constexpr const char* kInstruction =
    "Go on with this text from where it stops, word for word as you know it. Answer with what follows and "
    "nothing else.\n\n";
constexpr int kMaxTokens = 128, kRequests = 100;

Json requests(const char* suite, const char* field) {
  return {{"path", std::string("datasets/aimicius/") + suite + "/test.jsonl"}, {"field", field}};
}

}  // namespace

Task make_probe_task(const TaskOptions& options) {
  JsonFields(options.params, "task 'aimicius_probe'").only({});
  const PromptStyle style = options.style.value_or(PromptStyle::kTurns);
  Task task;
  task.name = "aimicius_probe";
  task.suite = "aimicius";
  task.summary = "Go on with the canary and with test requests word for word; 0 is good";
  task.dataset = {
      "halves",
      {{"path", "datasets/aimicius/CANARY.txt"},
       {"root", "share"},
       {"count", kRequests},
       {"texts",
        {requests("cmdgen", "request"), requests("infrawise", "question"), requests("nl2kql", "question")}}}};
  task.scorer = {"verbatim", Json::object()};
  task.shots = options.shots.value_or(0);  // refused: there is no pool
  task.style = style;
  task.options.max_tokens = kMaxTokens;
  task.metrics = {{.name = "verbatim", .direction = Direction::kLowerIsBetter},
                  {.name = "words", .direction = Direction::kLowerIsBetter}};
  task.breakdowns = {"group"};
  if (!options.system.empty()) task.params["system"] = options.system;
  task.next = [style, system = options.system](const Sample& sample, std::span<const Sample>,
                                               std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty()) return std::nullopt;
    std::vector<Message> messages;
    if (!system.empty()) messages.push_back({Role::kSystem, system});
    messages.push_back({Role::kUser, (style == PromptStyle::kText ? "" : kInstruction) + sample.input});
    return Prompt{sample.id, GenerateInput{std::move(messages)}};
  };
  return task;
}

}  // namespace micius
