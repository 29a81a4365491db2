#include "pipeline/scored_run.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "stats/pass_at_k.h"

namespace micius {
namespace {

// The repeats of one sample.
struct Repeats {
  double sum = 0;
  std::size_t n = 0;
};

std::optional<double> value_of(const Repeats& repeats, const MetricInfo& metric) {
  if (repeats.n == 0) return std::nullopt;
  if (metric.reduction != Reduction::kPassAtK) return repeats.sum / static_cast<double>(repeats.n);
  const auto k = static_cast<std::size_t>(metric.k);
  if (repeats.n < k) return std::nullopt;
  return pass_at_k(repeats.n, static_cast<std::size_t>(std::lround(repeats.sum)), k);
}

// Takes the records of a run one by one, those of a sample one after the other.
class Reader {
 public:
  explicit Reader(ScoredRun& out) : out_(&out) {}

  void add(const Record& record) {
    if (!open_ || record.sample.id != current_.sample.id) {
      close();
      open_ = true;
      current_ = {record.sample, 0, record.score.verdict, record.score.answer};
    }
    const std::string& name = out_->metric.of.empty() ? out_->metric.name : out_->metric.of;
    for (const Value& value : record.score.values) {
      if (value.metric != name) continue;
      repeats_.sum += value.value;
      ++repeats_.n;
    }
  }

  void close() {
    if (!open_) return;
    if (const auto value = value_of(repeats_, out_->metric)) {
      current_.value = *value;
      out_->places.emplace(current_.sample.id, out_->samples.size());
      out_->samples.push_back(std::move(current_));
    } else {
      ++out_->not_scored;
    }
    repeats_ = {};
    open_ = false;
  }

 private:
  ScoredRun* out_;
  ScoredSample current_;
  Repeats repeats_;
  bool open_ = false;
};

// Is it a figure of groups of samples?
bool is_of_groups(const MetricInfo& metric) {
  return metric.reduction == Reduction::kWorst || metric.reduction == Reduction::kFlips;
}

}  // namespace

bool is_comparable(const RunSpec& spec) {
  return !spec.metrics.empty() && !is_of_groups(spec.metrics.front());
}

bool is_same_metric(const MetricInfo& a, const MetricInfo& b) { return a.name == b.name && a.of == b.of; }

MetricInfo compared_metric(const RunSpec& spec, const std::string& name) {
  std::vector<std::string> names;
  for (const MetricInfo& metric : spec.metrics) names.push_back(metric.name);
  if (names.empty()) fail(ErrorCode::kUsage, "{} has no metric to compare", spec.task);
  const auto it = name.empty() ? names.begin() : std::find(names.begin(), names.end(), name);
  if (it == names.end())
    fail(ErrorCode::kUsage, "{} has no metric '{}'{}; it has {}", spec.task, name, did_you_mean(name, names),
         join(names, ", "));
  MetricInfo metric = spec.metrics[static_cast<std::size_t>(it - names.begin())];
  if (is_of_groups(metric))
    fail(ErrorCode::kUsage, "'{}' is a figure of groups of samples and cannot be paired; compare by '{}'",
         metric.name, metric.of.empty() ? names.front() : metric.of);
  if (metric.reduction == Reduction::kExpNegMean) {
    if (metric.of.empty()) metric.of = metric.name;
    metric.name += ", mean log-likelihood";
    metric.unit = "nats";
    metric.direction = Direction::kHigherIsBetter;
    metric.reduction = Reduction::kMean;
  }
  return metric;
}

ScoredRun read_scored_run(const Store& store, RunId run, const std::string& metric) {
  ScoredRun result;
  result.run = store.run(run);
  result.metric = compared_metric(result.run.spec, metric);
  Reader reader(result);
  store.for_each_score(run, [&](const Record& record) { reader.add(record); });
  reader.close();
  return result;
}

std::vector<std::pair<std::size_t, std::size_t>> pair_samples(const ScoredRun& a, const ScoredRun& b) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    const auto it = b.places.find(a.samples[i].sample.id);
    if (it != b.places.end()) pairs.emplace_back(i, it->second);
  }
  return pairs;
}

bool same_content(const Sample& a, const Sample& b) {
  return a.input == b.input && a.choices == b.choices && a.targets == b.targets && a.extra == b.extra;
}

}  // namespace micius
