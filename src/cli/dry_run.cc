#include "cli/dry_run.h"

#include <algorithm>
#include <numeric>
#include <variant>

#include <fmt/format.h>

#include "base/json.h"
#include "runners/model_name.h"

namespace micius {
namespace {

std::int64_t tokens_of(std::size_t bytes) { return static_cast<std::int64_t>((bytes + 3) / 4); }

std::size_t bytes_of(const std::vector<Message>& messages) {
  std::size_t bytes = 0;
  for (const Message& message : messages) bytes += message.content.size();
  return bytes;
}

SampleTokens tokens_of(const GenerateInput& input, const RunSpec& spec) {
  const auto& turns = spec.turn_max_tokens;
  const std::int64_t most =
      turns.empty() ? spec.options.max_tokens : std::accumulate(turns.begin(), turns.end(), std::int64_t{0});
  return {tokens_of(bytes_of(input.messages)), most};
}

// Each pair is a prompt of its own, with one token that must be written.
SampleTokens tokens_of(const LikelihoodInput& input, const RunSpec&) {
  SampleTokens tokens;
  for (const Pair& pair : input.pairs) {
    tokens.prompt += tokens_of(bytes_of(input.messages) + pair.question.size() + pair.context.size() +
                               pair.continuation.size());
    ++tokens.completion;
  }
  return tokens;
}

std::string dollars(const std::optional<CostRange>& cost) {
  return cost ? fmt::format("${:.4f} to ${:.4f}", cost->low, cost->high) : "?";
}

Json row_json(const DryRun& run) {
  Json row = {{"task", run.task},
              {"model", run.model},
              {"samples", run.samples},
              {"prompt_tokens", run.prompt_tokens},
              {"completion_tokens_at_most", run.completion_tokens},
              {"cost_usd", nullptr}};
  if (run.cost) row["cost_usd"] = {{"low", run.cost->low}, {"high", run.cost->high}};
  return row;
}

// Unknown as soon as one of them is.
DryRun sum_of(const std::vector<DryRun>& runs) {
  DryRun sum;
  sum.cost = CostRange{};
  for (const DryRun& run : runs) {
    sum.samples += run.samples;
    sum.prompt_tokens += run.prompt_tokens;
    sum.completion_tokens += run.completion_tokens;
    if (!run.cost) sum.cost.reset();
    if (sum.cost) sum.cost = CostRange{sum.cost->low + run.cost->low, sum.cost->high + run.cost->high};
  }
  return sum;
}

}  // namespace

SampleTokens tokens_of_sample(const Task& task, const Plan& plan, std::size_t index) {
  const std::vector<Sample> shots = plan.shots_for ? plan.shots_for(index) : std::vector<Sample>();
  const std::optional<Prompt> prompt = task.next(plan.samples[index], shots, {});
  if (!prompt) return {};
  return std::visit([&](const auto& input) { return tokens_of(input, plan.spec); }, prompt->input);
}

DryRun dry_run(const Task& task, const Plan& plan, const ApiSettings& settings) {
  const RunSpec& spec = plan.spec;
  DryRun run;
  run.task = spec.task;
  run.model = spec.model.name;
  run.samples = plan.chosen.size() * static_cast<std::size_t>(spec.repeats);
  SampleTokens all;
  for (const std::size_t index : plan.chosen) {
    const SampleTokens tokens = tokens_of_sample(task, plan, index);
    all.prompt += tokens.prompt;
    all.completion += tokens.completion;
  }
  run.prompt_tokens = all.prompt * spec.repeats;
  run.completion_tokens = all.completion * spec.repeats;
  const std::string name = split_model(spec.model.name).argument.value_or(spec.model.name);
  const Tariff tariff = settings.batching == ApiBatching::kOn ? Tariff::kBatch : Tariff::kAtOnce;
  if (const auto price = settings.prices.at(spec.model.kind, spec.model.url)
                             .find(spec.model.kind, name, settings.day, tariff)) {
    run.cost = CostRange{cost_usd(*price, {run.prompt_tokens, 0, 0}),
                         cost_usd(*price, {run.prompt_tokens, 0, run.completion_tokens})};
  }
  return run;
}

void print_dry_runs(const std::vector<DryRun>& runs, const std::string& format) {
  const DryRun sum = sum_of(runs);
  if (format == "json") {
    Json json = {{"schema", "micius.dry_run/1"}, {"runs", Json::array()}, {"sum", row_json(sum)}};
    for (const char* key : {"task", "model"}) json["sum"].erase(key);
    for (const DryRun& run : runs) json["runs"].push_back(row_json(run));
    fmt::print("{}\n", dump_json(json));
    return;
  }
  for (const DryRun& run : runs) {
    fmt::print("{} on {}: {} samples, about {} prompt tokens, at most {} written, {}\n", run.task, run.model,
               run.samples, run.prompt_tokens, run.completion_tokens, dollars(run.cost));
  }
  fmt::print("all: {} samples, about {} prompt tokens, at most {} written, {}\n", sum.samples,
             sum.prompt_tokens, sum.completion_tokens, dollars(sum.cost));
}

}  // namespace micius
