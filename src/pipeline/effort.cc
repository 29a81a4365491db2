#include "pipeline/effort.h"

#include <algorithm>
#include <chrono>

#include "core/cost.h"
#include "core/score_value.h"
#include "stats/mean.h"
#include "stats/sample_quantile.h"

namespace micius {

void EffortTally::Column::begin() {
  sums.push_back(0);
  repeats.push_back(0);
}

void EffortTally::Column::add(double value) {
  sums.back() += value;
  ++repeats.back();
}

std::optional<Estimate> EffortTally::Column::mean() const {
  std::vector<double> means;
  for (std::size_t i = 0; i < sums.size(); ++i)
    if (repeats[i] > 0) means.push_back(sums[i] / repeats[i]);
  if (std::all_of(means.begin(), means.end(), [](double x) { return x == 0; })) return std::nullopt;
  const MeanInterval mean = mean_interval(means);
  Estimate result;
  result.value = *mean.value;
  result.stderr_ = mean.stderr_;
  result.n = means.size();
  if (mean.t) {
    result.low = std::max(0.0, mean.t->low);
    result.high = mean.t->high;
  }
  return result;
}

void EffortTally::add(const Record& record) {
  if (record.failure) return;
  if (prompt_.sums.empty() || record.sample.id != last_id_) {
    last_id_ = record.sample.id;
    for (Column* column : {&prompt_, &completion_, &tokens_, &cost_, &seconds_}) column->begin();
  }
  double prompt = 0, completion = 0;
  std::chrono::nanoseconds time{0};
  bool is_timed = true;
  for (const Turn& turn : record.turns) {
    prompt += turn.completion.prompt_tokens;
    completion += turn.completion.completion_tokens;
    time += turn.completion.timing.done - turn.completion.timing.sent;
    is_timed = is_timed && !turn.completion.from_cache;
  }
  prompt_.add(prompt);
  completion_.add(completion);
  tokens_.add(prompt + completion);
  if (const auto cost = worth_usd(price_, record)) {
    cost_.add(*cost);
  } else {
    price_.reset();
  }
  if (!is_timed || time.count() <= 0) return;
  const double seconds = std::chrono::duration<double>(time).count();
  seconds_.add(seconds);
  latencies_.push_back(seconds);
}

Effort EffortTally::effort() const {
  return {prompt_.mean(), completion_.mean(), tokens_.mean(), price_ ? cost_.mean() : std::nullopt};
}

std::optional<Latency> EffortTally::seconds() const {
  const std::optional<Estimate> mean = seconds_.mean();
  if (!mean) return std::nullopt;
  std::vector<double> sorted = latencies_;
  std::sort(sorted.begin(), sorted.end());
  return Latency{*mean, nearest_rank(sorted, 50, 100), nearest_rank(sorted, 90, 100),
                 nearest_rank(sorted, 99, 100)};
}

ReadingsTally::ReadingsTally(const std::vector<MetricInfo>& metrics) {
  std::vector<std::pair<std::string, std::string>> first;  // of each metric: its name, its first way
  for (const MetricInfo& info : metrics) {
    const std::size_t comma = info.name.find(',');
    if (comma == std::string::npos) continue;
    const std::string metric = info.name.substr(0, comma), way = info.name.substr(comma + 1);
    const auto it =
        std::find_if(first.begin(), first.end(), [&](const auto& f) { return f.first == metric; });
    if (it == first.end()) {
      first.emplace_back(metric, way);
    } else {
      readings_.push_back({metric, it->second, way});
    }
  }
}

void ReadingsTally::add(const Score& score) {
  for (Readings& r : readings_) {
    const auto x = value_of(score, r.metric + "," + r.first), y = value_of(score, r.metric + "," + r.second);
    if (!x || !y) continue;
    ++r.n;
    r.only_first += *x > *y;
    r.only_second += *x < *y;
  }
}

std::vector<Readings> ReadingsTally::readings() const {
  std::vector<Readings> result;
  for (const Readings& r : readings_)
    if (r.n > 0) result.push_back(r);
  return result;
}

}  // namespace micius
