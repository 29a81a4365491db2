#include "runners/scripted_runner.h"

#include <utility>

namespace micius {

ScriptedRunner::ScriptedRunner(const std::string& name, std::string sha256, Script script, const Clock& clock)
    : script_(std::move(script)), clock_(&clock) {
  info_.name = "scripted:" + name;
  info_.kind = "scripted";
  info_.sha256 = std::move(sha256);
  info_.weighs = false;
  info_.chat_template = true;  // takes messages wherever they are
}

void ScriptedRunner::submit(std::vector<Request> requests, CompletionSink& sink) {
  for (const Request& request : requests) {
    Completion completion;
    completion.id = request.id;
    completion.timing.planned = completion.timing.sent = clock_->now();
    completion.text = script_(request);
    completion.timing.done = clock_->now();
    sink.on_done(std::move(completion));
  }
}

}  // namespace micius
