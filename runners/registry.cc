#include "runners/registry.h"

#include <charconv>
#include <utility>

#include "base/error.h"
#include "runners/model_name.h"
#include "runners/pseudo_runner.h"
#include "runners/replay_runner.h"
#include "runners/scripts.h"

namespace micius {
namespace {

RunnerFactory pseudo(PseudoModel model) {
  return [model](const std::string& argument, const RunnerContext& context) -> std::unique_ptr<Runner> {
    if (!argument.empty())
      fail(ErrorCode::kUsage, "unexpected ':{}'; `reference`, `empty` and `random` take nothing", argument);
    return std::make_unique<PseudoRunner>(model, context.clock);
  };
}

std::unique_ptr<Runner> make_replay(const std::string& argument, const RunnerContext& context) {
  std::int64_t run = 0;
  const char* end = argument.data() + argument.size();
  const auto [stop, error] = std::from_chars(argument.data(), end, run);
  if (error != std::errc() || stop != end || context.store == nullptr) {
    fail(ErrorCode::kUsage, "'replay:{}': not a run; `replay:12` answers from run 12 (`micius list runs`)",
         argument);
  }
  return std::make_unique<ReplayRunner>(*context.store, RunId{run});
}

RunnerFactory remote(ApiKind kind) {
  return [kind](const std::string& argument, const RunnerContext& context) {
    auto runner = make_api_runner(kind, argument, context.api != nullptr ? *context.api : ApiSettings{},
                                  context.clock, context.log);
    if (context.cache == nullptr) return runner;
    return with_cache(std::move(runner), *context.cache, context.cache_use, context.clock);
  };
}

}  // namespace

Registry<RunnerFactory> runner_registry() {
  return {
      "runner",
      {{"reference", "Answers each turn with the reference: the ceiling", pseudo(PseudoModel::kReference)},
       {"empty", "Answers with nothing: the floor", pseudo(PseudoModel::kEmpty)},
       {"random", "Answers with the reference of another sample: chance", pseudo(PseudoModel::kRandom)},
       {"replay", "Answers from the records of a run: replay:RUN", make_replay},
       {"openai", "A server of OpenAI's chat API: openai:NAME, openai:NAME@https://..",
        remote(ApiKind::kOpenAi)},
       {"azure", "A deployment at Azure OpenAI: azure:DEPLOYMENT", remote(ApiKind::kAzure)},
       {"anthropic", "A model of Anthropic's messages API: anthropic:NAME", remote(ApiKind::kAnthropic)},
       {"scripted",
        "Check models: scripted:verbose, parrot, constant:TEXT, errors:N, spoiled:PERCENT, nearest:FILE",
        make_scripted}}};
}

std::unique_ptr<Runner> make_runner(const std::string& model, const RunnerContext& context) {
  const ModelName name = split_model(model);
  return runner_registry().get(name.kind)(name.argument.value_or(""), context);
}

}  // namespace micius
