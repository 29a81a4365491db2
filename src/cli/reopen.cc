#include "cli/reopen.h"

#include <array>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/execute.h"
#include "cli/remote.h"
#include "runners/model_name.h"

namespace micius {
namespace {

const char* address_flag(ApiKind kind) {
  switch (kind) {
    case ApiKind::kOpenAi:
      return "--base-url ";
    case ApiKind::kAzure:
      return "AZURE_OPENAI_ENDPOINT=";
    case ApiKind::kAnthropic:
      return "ANTHROPIC_BASE_URL=";
  }
  return "";
}

// What a run says of its model's address is of whoever made the run: a file must not say where this user's
// key goes. A run that is unfinished here and in a file is one run, so the others are looked at too.
void check_address(const Run& run, const ApiSettings& settings, RunsOf runs_of) {
  const std::string& source = run.spec.model_source;
  const ModelName name = split_model(source);
  const auto kind = api_kind_from(name.kind);
  if (!kind || !name.argument) return;
  const ApiEndpoint endpoint = endpoint_of(*kind, *name.argument, settings);
  const auto id = static_cast<std::int64_t>(run.id);
  if (endpoint.url != run.spec.model.url) {
    fail(ErrorCode::kUsage,
         "run {} was asked at {}, and its model is at {} now; `micius run` goes on or begins anew there", id,
         visible_line(run.spec.model.url), visible_line(endpoint.url));
  }
  if (!is_imported(run) && runs_of == RunsOf::kUser) return;
  const std::string own = account_url(*kind, settings);
  if (endpoint.account_url == own) return;
  fail(ErrorCode::kUsage,
       "run {} was {} and asks {}, and your flags and environment say {}; if that server may have your "
       "questions and your key: {}{}",
       id, is_imported(run) ? "imported" : "queued", visible_line(endpoint.account_url),
       own.empty() ? "none" : own, address_flag(*kind), visible_line(endpoint.account_url));
}

// The options of a spec that a runner is made with.
constexpr std::array<const char*, 4> kRunnerOptions = {"numerics", "selective_v", "likelihoods", "truncate"};

std::string option_or(const RunSpec& spec, const char* name, const std::string& otherwise) {
  return spec.model_options.contains(name) ? spec.model_options.at(name).get<std::string>() : otherwise;
}

}  // namespace

bool is_imported(const Run& run) { return run.batch == 0; }

std::string model_key(const RunSpec& spec) {
  Json key = {{"source", spec.model_source}, {"sha256", spec.model.sha256}};
  for (const char* option : kRunnerOptions)
    if (spec.model_options.contains(option)) key[option] = spec.model_options.at(option);
  return dump_json(key);
}

std::unique_ptr<Runner> reopen_model(const ReopenContext& context, const Run& run) {
  const RunSpec& spec = run.spec;
  context.engine.numerics = option_or(spec, "numerics", context.engine.numerics);
  context.engine.selective_v = option_or(spec, "selective_v", "off");
  ApiSettings& remote = context.remote;
  remote.likelihoods =
      spec.model_options.contains("likelihoods") ? ApiLikelihoods::kByEcho : ApiLikelihoods::kNone;
  remote.batching = is_batch_run(spec) ? ApiBatching::kOn : ApiBatching::kOff;
  remote.truncation = spec.model_options.contains("truncate") ? ApiTruncation::kLeft : ApiTruncation::kOff;
  AnswerCache* answers = api_kind_from(spec.model.kind) ? context.cache.use(context.caching) : nullptr;
  check_address(run, remote, context.runs_of);
  return open_model(
      spec.model_source, context.engine, context.places,
      {context.clock, &context.store, &remote, &context.log, answers, context.cache.cache_use()});
}

ReopenedTask reopen_task(const ReopenContext& context, const Run& run, const RunnerInfo& model) {
  const RunSpec& spec = run.spec;
  ReopenedTask task;
  task.setup = set_up_task(spec.task_source, task_options_of(spec, data_roots(context.places)),
                           spec.options.seed, {context.services, context.log});
  task.plan = plan_run(task.setup, model, options_of(spec));
  check_same_spec(spec, task.plan.spec, run.id);
  return task;
}

}  // namespace micius
