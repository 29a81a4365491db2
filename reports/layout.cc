#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "core/names.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

std::string plural(std::size_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

// How a command names the run: "micius resume 12", or without the number where the report is stable.
std::string resume_command(const Report& report, std::string_view places) {
  if (!report.execution) return "micius resume";
  return fmt::format("micius resume {}{}", static_cast<std::int64_t>(report.execution->id), places);
}

void add_failed_note(const Report& report, std::string_view places, std::vector<std::string>& notes) {
  const Metric* primary = primary_of(report);
  const bool allowed = primary != nullptr && primary->estimate;
  notes.push_back(fmt::format("{} failed{}; `{}` asks again{}.", plural(report.counts.failed, "sample"),
                              allowed ? " and are left out of every metric" : ", so there are no metrics",
                              resume_command(report, places),
                              allowed ? "" : ", --allow-failed leaves them out"));
}

std::string cluster_note(const Estimate& e, const std::string& field) {
  std::string note = fmt::format("n = {} in {} clusters ({})", e.n, *e.clusters, field);
  if (e.n_effective) return note + fmt::format(" counts as {:.0f} independent samples.", *e.n_effective);
  return note +
         (e.low ? "; all agree, so the interval counts each cluster once." : "; no interval can be given.");
}

}  // namespace

const Metric* primary_of(const Report& report) {
  const auto it = std::find_if(report.metrics.begin(), report.metrics.end(),
                               [](const Metric& metric) { return metric.primary; });
  return it == report.metrics.end() ? nullptr : &*it;
}

const Metric* find_metric(const std::vector<Metric>& metrics, std::string_view name) {
  const auto it =
      std::find_if(metrics.begin(), metrics.end(), [&](const Metric& metric) { return metric.name == name; });
  return it == metrics.end() ? nullptr : &*it;
}

std::string number_text(double value, const std::string& unit) {
  return unit == "fraction" ? fmt::format("{:.1f}", 100 * value) : format_value(value, unit);
}

std::string value_text(const Metric& metric) {
  return metric.estimate ? format_value(metric.estimate->value, metric.unit) : "-";
}

std::string interval_text(const Metric& metric, std::string_view between) {
  if (!metric.estimate || !metric.estimate->low || !metric.estimate->high) return "-";
  return number_text(*metric.estimate->low, metric.unit) + std::string(between) +
         number_text(*metric.estimate->high, metric.unit);
}

std::string reach_text(const Metric& metric) {
  if (!metric.floor && !metric.ceiling) return "-";
  const auto text = [&](std::optional<double> value) {
    return value ? number_text(*value, metric.unit) : "-";
  };
  return text(metric.floor) + " / " + text(metric.ceiling);
}

std::string money_text(double usd) {
  const int first = usd > 0 ? static_cast<int>(std::floor(std::log10(usd))) : 0;  // place of its first digit
  return fmt::format("${:.{}f}", usd, std::max(2, 1 - first));
}

std::string cost_text(const ReportSet& set) {
  std::size_t known = 0;
  double sum = 0;
  for (const Report& report : set.reports) {
    known += report.usage.cost_usd.has_value();
    sum += report.usage.cost_usd.value_or(0);
  }
  if (known == 0) return "";
  const std::size_t others = set.reports.size() - known;
  return "cost " + money_text(sum) +
         (others > 0 ? fmt::format(", without {} that no price is known of", plural(others, "run")) : "");
}

std::string done_text(const Counts& counts) {
  const std::size_t done = counts.scored + counts.unscored;
  return done == counts.total ? fmt::format("{}", done) : fmt::format("{}/{}", done, counts.total);
}

std::vector<std::string> notes_of(const Report& report, std::string_view places) {
  const Counts& counts = report.counts;
  std::vector<std::string> notes;
  if (report.status != RunStatus::kComplete) {
    const std::size_t done = counts.scored + counts.unscored + counts.failed;
    notes.push_back(fmt::format("{}: {} of {} samples done; `{}` goes on.", name_of(report.status), done,
                                counts.total, resume_command(report, places)));
  }
  if (counts.failed > 0) add_failed_note(report, places, notes);
  if (counts.unscored > 0)
    notes.push_back(fmt::format("{} could not be judged and {} left out of every metric.",
                                plural(counts.unscored, "sample"), counts.unscored == 1 ? "is" : "are"));
  for (const std::string& note : report.spec.notes) notes.push_back(note + ".");
  if (counts.cut > 0)
    notes.push_back(fmt::format("{} lost the beginning of a prompt: the model's context is too short.",
                                plural(counts.cut, "sample")));
  const Metric* primary = primary_of(report);
  if (primary != nullptr && primary->estimate && primary->estimate->clusters)
    notes.push_back(cluster_note(*primary->estimate, report.spec.cluster));
  return notes;
}

std::string work_text(const std::optional<ForwardedTokens>& work) {
  if (!work || work->naive == 0) return "";
  return fmt::format("forwarded {} of {} tokens ({}); shared beginnings once", format_count(work->forwarded),
                     format_count(work->naive),
                     format_percent(static_cast<double>(work->forwarded) / static_cast<double>(work->naive)));
}

std::optional<ForwardedTokens> work_of(const ReportSet& set) {
  std::optional<ForwardedTokens> sum;
  for (const Report& report : set.reports) {
    if (!report.execution || !report.execution->work) continue;
    if (!sum) sum.emplace();
    sum->forwarded += report.execution->work->forwarded;
    sum->naive += report.execution->work->naive;
  }
  return sum;
}

std::string part_note(const Aggregate& aggregate, const ReportSet& set) {
  const bool whole = std::all_of(aggregate.reports.begin(), aggregate.reports.end(), [&](std::size_t report) {
    const RunSpec& spec = set.reports[report].spec;
    return spec.sample_ids.size() >= spec.dataset.samples;
  });
  return whole ? "" : "over a part of the samples, so no score of the suite";
}

std::string verdict_line(const ReportSet& set) {
  std::size_t complete = 0, failed = 0, unscored = 0;
  for (const Report& report : set.reports) {
    complete += report.status == RunStatus::kComplete;
    failed += report.counts.failed;
    unscored += report.counts.unscored;
  }
  std::string line = complete == set.reports.size()
                         ? fmt::format("{} complete", plural(complete, "run"))
                         : fmt::format("{} of {} complete", complete, plural(set.reports.size(), "run"));
  line += failed == 0 ? ", no sample failed" : fmt::format(", {} failed", plural(failed, "sample"));
  if (unscored > 0) line += fmt::format(", {} could not be judged", plural(unscored, "sample"));
  return line + ".";
}

std::string model_text(const ModelRef& model) {
  const bool plain = model.kind.empty() || model.kind == "engine" || model.kind == model.name ||
                     model.name.rfind(model.kind + ":", 0) == 0;
  return plain ? model.name : fmt::format("{} ({})", model.name, model.kind);
}

}  // namespace micius
