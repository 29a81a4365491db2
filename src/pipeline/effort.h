// What samples take, gathered record by record: tokens, money and time.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/price.h"
#include "core/report.h"

namespace micius {

// Takes the records of a run, those of a sample one after the other. Means are over samples: repeats of one
// are averaged first. Records that failed are left out, and of the times those that no clock was read for and
// those with an answer from the cache. Of money there is nothing without a price, or where a server said
// nothing of one answer's tokens.
class EffortTally {
 public:
  explicit EffortTally(std::optional<Price> price) : price_(std::move(price)) {}
  void add(const Record& record);
  Effort effort() const;
  std::optional<Latency> seconds() const;

 private:
  // One value a sample.
  struct Column {
    std::vector<double> sums, repeats;
    void begin();
    void add(double value);
    std::optional<Estimate> mean() const;
  };

  std::string last_id_;
  Column prompt_, completion_, tokens_, cost_, seconds_;
  std::optional<Price> price_;
  std::vector<double> latencies_;  // of records
};

// Where a task reads answers in several ways, its metrics are named METRIC,WAY: counts how those of one
// metric differ, the first way against each other one.
class ReadingsTally {
 public:
  explicit ReadingsTally(const std::vector<MetricInfo>& metrics);
  void add(const Score& score);
  // Without those that no record had.
  std::vector<Readings> readings() const;

 private:
  std::vector<Readings> readings_;
};

}  // namespace micius
