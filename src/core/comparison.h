// Runs of the same tasks held against each other, sample by sample. Built by the pipeline, rendered (never
// computed) by reports.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/estimate.h"
#include "core/run.h"
#include "core/score.h"
#include "core/task.h"

namespace micius {

// One run in a comparison.
struct ComparedRun {
  RunId run{};
  std::size_t place = 0;             // of the runs that were given
  std::string label;                 // the model's name; "name (run 3)" where several sides have it
  std::optional<Estimate> estimate;  // over the paired samples alone
  // Samples that are no pair: only this run has them, they failed or could not be judged here.
  std::size_t only_here = 0, not_scored = 0;
};

struct PairedTest {
  std::string name;  // mcnemar_mid_p, mcnemar_exact, sign_flips, wilcoxon
  double p = 1;
  double p_adjusted = 1;  // Holm over all comparisons of the set
  double least_p = 0;     // that the test's random draws can show; 0: it draws none
};

// A sample on which the two differ.
struct Flip {
  std::string sample_id;
  double a_value = 0, b_value = 0;
  Verdict a_verdict = Verdict::kUnscored, b_verdict = Verdict::kUnscored;
  std::string a_answer, b_answer;  // of the first repeat
};

// How many pairs A won, neither won, and B won, by the metric's direction.
struct WinTieLoss {
  std::size_t win = 0, tie = 0, loss = 0;
};

enum class Finding { kNoDifference, kABetter, kBBetter };

// What a comparison says of the samples whose field `by` is `key`, which are not all of them.
struct ComparedGroup {
  std::string by, key;
  std::optional<Estimate> a, b, difference;
  double p = 1;                              // of the test that decides
  double p_adjusted = 1;                     // Holm over all groups of the comparison
  Finding finding = Finding::kNoDifference;  // by p_adjusted, at 0.05
};

struct Comparison {
  std::string task;
  MetricInfo metric;
  ComparedRun a, b;
  std::size_t samples = 0;            // pairs
  Estimate difference;                // of A's mean minus B's
  std::string interval;               // how its interval is made: tango, t, clusters
  std::optional<Estimate> bootstrap;  // the same with BCa's interval, where asked for
  // Where every value is 0 or 1: both right, A alone, B alone, both wrong.
  struct Counts {
    std::size_t both_right = 0, only_a = 0, only_b = 0, both_wrong = 0;
  };
  std::optional<Counts> counts;
  WinTieLoss wins;
  // Of the pairs that one won: those in which the other gave no answer at all.
  std::size_t a_won_unanswered = 0, b_won_unanswered = 0;
  std::vector<PairedTest> tests;             // the one that decides first
  Finding finding = Finding::kNoDifference;  // by the first test, adjusted, at 0.05
  std::optional<double> detectable;          // the difference that is found with power 0.8 at level 0.05
  std::vector<Flip> flips;                   // in dataset order
  std::vector<ComparedGroup> groups;
  std::vector<std::string> forced;  // why the two are not comparable, one sentence each
  std::vector<std::string> notes;   // what else a reader must know
};

// Three sides or more on one task.
struct League {
  struct Rank {
    std::size_t side = 0;  // of `labels`
    double strength = 0, stderr_ = 0;
    double elo = 0, elo_low = 0, elo_high = 0;  // with a 95 % interval
  };
  std::string task, metric;
  std::size_t samples = 0;  // that every side has
  std::vector<std::string> labels;
  std::vector<std::size_t> places;             // ComparedRun::place of each
  std::vector<std::vector<WinTieLoss>> table;  // [side][other]
  std::vector<Rank> ranking;  // strongest first; empty where a side never loses, or never wins
};

struct ComparisonSet {
  std::vector<Comparison> comparisons;  // the first side of a task against each other one
  std::vector<League> leagues;
  std::vector<std::string> notes;
};

}  // namespace micius
