// The line on stderr that says how far a run is.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/task.h"
#include "pipeline/evaluate.h"

namespace micius {

enum class ProgressMode {
  kNone,
  kPlain,  // a line every ten seconds
  kLive,   // one line, drawn again in place
};

// "auto" is live on a terminal and plain elsewhere. Throws Error{kUsage} for another word.
ProgressMode progress_mode_from(const std::string& word);

// Draws the progress of one run: bar, counts, running score with its interval, rate, time left. Called
// from the thread that evaluates.
class ProgressDisplay final : public EvaluateObserver {
 public:
  ProgressDisplay(ProgressMode mode, std::string task, std::string model, MetricInfo primary,
                  const Clock& clock);
  ~ProgressDisplay() override;  // leaves the last state on a line of its own
  void on_progress(const Progress& progress) override;

 private:
  std::string line(const Progress& progress, std::size_t width) const;
  std::vector<std::string> extras(const Progress& progress) const;
  std::string score(const Progress& progress) const;
  void draw(const Progress& progress);

  ProgressMode mode_;
  std::string task_, model_;
  MetricInfo primary_;
  const Clock& clock_;
  Clock::time_point started_, drawn_;
  bool drawn_once_ = false;
  Progress last_;
};

}  // namespace micius
