#include "cli/load_report.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/format.h"
#include "stats/latency.h"

namespace micius {
namespace {

double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

template <typename Value>
Json optional_json(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

// The mean gap between a request's pieces; absent for one piece.
std::optional<double> mean_gap_ms(const LoadSample& sample) {
  if (sample.pieces.size() < 2) return std::nullopt;
  return ms_between(sample.pieces.front(), sample.pieces.back()) /
         static_cast<double>(sample.pieces.size() - 1);
}

// A request without text has the time of its end in place of its first token's.
double ttft_ms(const LoadSample& sample) {
  return ms_between(sample.planned, sample.pieces.empty() ? sample.done : sample.pieces.front());
}

bool keeps(const LoadSample& sample, const LoadLimits& limits) {
  return sample.failure.empty() && ttft_ms(sample) <= limits.ttft_ms.value_or(1e300) &&
         mean_gap_ms(sample).value_or(0) <= limits.itl_ms.value_or(1e300) &&
         ms_between(sample.planned, sample.done) <= limits.e2e_ms.value_or(1e300);
}

Json estimate_json(const Estimate& estimate) {
  return {{"value", estimate.value},
          {"low", optional_json(estimate.low)},
          {"high", optional_json(estimate.high)}};
}

Json latency_json(std::vector<double> values) {
  const std::optional<LatencySummary> summary = summarize_latencies(std::move(values));
  if (!summary) return nullptr;
  Json json = {{"n", summary->n}, {"mean", summary->mean}, {"min", summary->min}, {"max", summary->max}};
  for (const auto& [percent, estimate] : summary->quantiles)
    json[fmt::format("p{}", percent)] = estimate_json(estimate);
  return json;
}

struct Latencies {
  std::vector<double> ttft, itl, e2e, lateness;
};

Latencies latencies_of(const std::vector<LoadSample>& samples) {
  Latencies all;
  for (const LoadSample& sample : samples) {
    all.lateness.push_back(ms_between(sample.planned, sample.sent));
    if (!sample.failure.empty()) continue;
    if (!sample.pieces.empty()) all.ttft.push_back(ttft_ms(sample));
    for (std::size_t i = 1; i < sample.pieces.size(); ++i)
      all.itl.push_back(ms_between(sample.pieces[i - 1], sample.pieces[i]));
    all.e2e.push_back(ms_between(sample.planned, sample.done));
  }
  return all;
}

Json goodput_json(const LoadSettings& settings, const std::vector<LoadSample>& samples, double seconds) {
  if (!settings.limits.any() || samples.empty()) return nullptr;
  const auto kept =
      static_cast<std::size_t>(std::count_if(samples.begin(), samples.end(), [&](const LoadSample& sample) {
        return keeps(sample, settings.limits);
      }));
  return {{"ttft_limit_ms", optional_json(settings.limits.ttft_ms)},
          {"itl_limit_ms", optional_json(settings.limits.itl_ms)},
          {"e2e_limit_ms", optional_json(settings.limits.e2e_ms)},
          {"requests", kept},
          {"fraction", estimate_json(share_estimate(kept, samples.size()))},
          {"requests_per_s", static_cast<double>(kept) / seconds}};
}

std::string latency_row(const char* name, const Json& latency) {
  if (latency.is_null()) return fmt::format("{:<22} -\n", name);
  std::string row = fmt::format("{:<22}", name);
  for (const char* key : {"p50", "p90", "p95", "p99"})
    row += fmt::format("{:>10.1f}", latency.at(key).at("value").get<double>());
  return row + fmt::format("{:>10.1f}{:>10.1f}{:>8}\n", latency.at("max").get<double>(),
                           latency.at("mean").get<double>(), latency.at("n").get<std::size_t>());
}

std::string p99_note(const Json& latency) {
  if (latency.is_null() || !latency.at("p99").at("high").is_null()) return "";
  return "fewer than 368 values: p99 has no upper bound yet\n";
}

}  // namespace

Json load_json(const LoadSettings& settings, const std::vector<LoadSample>& samples,
               std::chrono::nanoseconds wall) {
  const double seconds = std::max(std::chrono::duration<double>(wall).count(), 1e-9);
  std::map<std::string, std::size_t> failures;
  std::size_t completed = 0, prompt_tokens = 0, completion_tokens = 0, uncounted = 0;
  for (const LoadSample& sample : samples) {
    if (!sample.failure.empty()) {
      ++failures[sample.failure];
      continue;
    }
    ++completed;
    prompt_tokens += sample.prompt_tokens.value_or(0);
    completion_tokens += sample.completion_tokens.value_or(sample.pieces.size());
    uncounted += sample.completion_tokens ? 0 : 1;
  }
  const Latencies latencies = latencies_of(samples);
  const auto per_second = [&](std::size_t n) { return static_cast<double>(n) / seconds; };
  return {{"schema", "micius.load/1"},
          {"url", settings.url},
          {"model", settings.model},
          {"arrivals", settings.arrivals},
          {"rate", optional_json(settings.rate)},
          {"concurrency", optional_json(settings.concurrency)},
          {"seed", settings.seed},
          {"requests",
           {{"planned", settings.planned},
            {"ended", samples.size()},
            {"completed", completed},
            {"failures", failures}}},
          {"wall_s", seconds},
          {"tokens",
           {{"prompt", prompt_tokens}, {"completion", completion_tokens}, {"uncounted_requests", uncounted}}},
          {"requests_per_s", per_second(completed)},
          {"completion_tokens_per_s", per_second(completion_tokens)},
          {"ttft_ms", latency_json(latencies.ttft)},
          {"itl_ms", latency_json(latencies.itl)},
          {"e2e_ms", latency_json(latencies.e2e)},
          {"lateness_ms", latency_json(latencies.lateness)},
          {"goodput", goodput_json(settings, samples, seconds)}};
}

std::string load_text(const Json& report) {
  const Json& requests = report.at("requests");
  std::string text =
      fmt::format("{} at {}\n", report.at("model").get<std::string>(), report.at("url").get<std::string>());
  text += report.at("rate").is_null()
              ? fmt::format("{} clients, each its next request after its last",
                            report.at("concurrency").get<std::size_t>())
              : fmt::format("{} arrivals, {} requests/s", report.at("arrivals").get<std::string>(),
                            report.at("rate").get<double>());
  text += fmt::format("; seed {}", report.at("seed").get<std::size_t>());
  text +=
      fmt::format("; {} of {} requests answered in {:.1f} s\n", requests.at("completed").get<std::size_t>(),
                  requests.at("planned").get<std::size_t>(), report.at("wall_s").get<double>());
  for (const auto& failure : requests.at("failures").items())
    text += fmt::format("failed: {} x {}\n", failure.value().get<std::size_t>(), failure.key());
  text += fmt::format("{} requests/s, {} tokens/s written\n\n", format_rate(report.at("requests_per_s")),
                      format_rate(report.at("completion_tokens_per_s")));
  text += fmt::format("{:<22}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>8}\n", "ms, from planned time", "p50",
                      "p90", "p95", "p99", "max", "mean", "n");
  text += latency_row("first token (TTFT)", report.at("ttft_ms"));
  text += latency_row("between pieces (ITL)", report.at("itl_ms"));
  text += latency_row("whole answer (E2E)", report.at("e2e_ms"));
  text += latency_row("sent after plan", report.at("lateness_ms"));
  text += p99_note(report.at("e2e_ms"));
  const Json& goodput = report.at("goodput");
  if (goodput.is_null()) return text;
  const Json& share = goodput.at("fraction");
  return text + fmt::format("\ngoodput: {} of all requests keep the limits ({} to {}), {} requests/s\n",
                            format_percent(share.at("value")), format_percent(share.at("low")),
                            format_percent(share.at("high")), format_rate(goodput.at("requests_per_s")));
}

}  // namespace micius
