#include "runners/replay_runner.h"

#include <utility>

#include <fmt/format.h>

namespace micius {

ReplayRunner::ReplayRunner(const Store& store, RunId run) {
  const Run recorded = store.run(run);
  info_.name = fmt::format("replay:{}", static_cast<std::int64_t>(run));
  info_.kind = "replay";
  info_.splits = true;
  info_.chat_template = true;  // nothing is laid out again
  info_.options["replayed_spec"] = spec_sha256(recorded.spec);
  store.for_each(run, [this](const Record& record) {
    for (std::size_t turn = 0; turn < record.turns.size(); ++turn)
      completions_.try_emplace({record.sample.id, record.repeat, turn}, record.turns[turn].completion);
  });
}

void ReplayRunner::submit(std::vector<Request> requests, CompletionSink& sink) {
  for (const Request& request : requests) {
    const auto found = completions_.find({request.prompt.sample_id, request.repeat, request.turn});
    Completion completion;
    if (found != completions_.end()) {
      completion = found->second;
      completion.work.reset();  // nothing is forwarded again, and nobody asked
      completion.attempts.clear();
    } else {
      completion.stop_reason = StopReason::kFailed;
      completion.failure =
          Failure{"not_recorded", fmt::format("{} has no turn {} of sample '{}', repeat {}", info_.name,
                                              request.turn, request.prompt.sample_id, request.repeat)};
    }
    completion.id = request.id;
    sink.on_done(std::move(completion));
  }
}

}  // namespace micius
