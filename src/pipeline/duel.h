// Has it been decided yet that a run is better or worse than a baseline?
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/record.h"
#include "pipeline/plan.h"
#include "pipeline/scored_run.h"
#include "stats/sequential.h"

namespace micius {

// What a duel found, once it did. The direction is the metric's.
struct Decision {
  bool is_better = false;            // the run, than the baseline
  std::size_t samples = 0;           // pairs that were counted
  double difference = 0;             // of the run's mean minus the baseline's, over them
  std::optional<double> p;           // always valid; absent where the interval is there
  std::optional<Interval> interval;  // of the difference, at all times at once
};

// What is known so far. p and interval hold whenever one looks.
struct Standing {
  std::size_t samples = 0;   // pairs that were counted
  double difference = 0;     // of the run's mean minus the baseline's, over them
  std::optional<double> p;   // by counts of wins; absent where grades or clusters are counted
  Interval interval{-1, 1};  // of the difference, at all times at once
};

// How the note begins that a run has which was ended by a decision.
inline constexpr std::string_view kDecidedNote = "stopped once decided";
// Was it, and is it still?
bool was_decided(const Run& run);

// A run against a baseline while the run goes on, by the tests of stats/sequential.h: it may be looked at
// after every record, and its errors stay under alpha. Records may come in any order; they count in that of
// the plan, which was fixed before the first answer. Where every value of the baseline is 0 or 1, samples are
// asked once and stand alone: the mixture SPRT, of counts of wins, once the mean difference has their
// direction too. Else the empirical Bernstein sequence of the differences,
// averaged over repeats and over the samples of a cluster. A sample that the baseline lacks, or that failed
// or could not be judged, does not count.
class Duel {
 public:
  // Throws Error{kUndecided} for another task version, other shots, another data hash, other content of a
  // sample, or a task that does not measure the baseline's metric, and Error{kUnsupported} for a metric that
  // is no fraction.
  Duel(ScoredRun baseline, const Plan& plan, double alpha);

  void add(const Record& record);
  const std::optional<Decision>& decision() const { return decision_; }  // the first
  Standing standing() const;

 private:
  struct Member {
    double sum = 0;
    int values = 0, records = 0;
  };
  struct Unit {
    std::vector<std::size_t> members;  // of members_, in the plan's order
    std::size_t open = 0;              // records that have not come
  };

  void make_units(const Plan& plan);
  void take(const Unit& unit);
  void decide();
  bool agrees() const;

  ScoredRun baseline_;
  std::string value_name_;
  int repeats_;
  double alpha_, sign_;
  bool by_counts_ = false;
  std::vector<std::string> ids_;  // by member
  std::vector<Member> members_;
  std::vector<Unit> units_;                                 // in the order of their last members
  std::unordered_map<std::string, std::size_t> member_of_;  // by sample id
  std::vector<std::size_t> unit_of_;                        // by member
  std::size_t next_unit_ = 0, samples_ = 0;
  double difference_sum_ = 0;
  MixtureSprt counts_;
  std::int64_t wins_ = 0;  // more than losses, by counts
  EmpiricalBernstein means_;
  std::optional<Decision> decision_;
};

}  // namespace micius
