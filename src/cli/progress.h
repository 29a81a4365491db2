// The lines on stderr that say how far runs are.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "core/task.h"
#include "pipeline/evaluate.h"

namespace micius {

enum class ProgressMode {
  kNone,
  kPlain,  // a line every ten seconds for each run
  kLive,   // a line for each run under way, drawn again in place
};

// "auto" is live on a terminal and plain elsewhere. Throws Error{kUsage} for another word.
ProgressMode progress_mode_from(const std::string& word);

// The one place on a terminal where runs that go on side by side show how far they are; what else is said
// meanwhile is printed above. May be used from any thread.
class ProgressBoard {
 public:
  explicit ProgressBoard(ProgressMode mode, std::FILE* out = stderr) : mode_(mode), out_(out) {}

  ProgressMode mode() const { return mode_; }
  std::size_t width() const;  // columns of the terminal
  // A text for good, whatever the mode is; a newline is put behind it, and between words where kLive needs
  // it.
  void print(std::string_view text);
  // A place for a run; what it is called with later.
  int add();
  // kLive: draws the run's line again. kPlain: prints it.
  void show(int place, std::string line);
  // The same for the last time; the line stays where it is in the order of what was printed.
  void end(int place, std::string line);

 private:
  void draw(std::string_view above);

  const ProgressMode mode_;
  std::FILE* const out_;
  std::mutex mutex_;  // of all below
  int next_place_ = 0;
  std::map<int, std::string> lines_;  // live, by place
  std::size_t drawn_ = 0;             // lines on the terminal; the cursor is in the last
};

// How far one run is: names, bar, counts, running score, time left, interval, metric, rate.
struct ProgressRow {
  std::string task, model;
  MetricInfo primary;
  Progress progress;
  std::chrono::nanoseconds elapsed{};
};

// One line that is narrower than a terminal of `width` columns; 0: no terminal, no limit. What there is no
// room for is left out, from the end.
std::string progress_line(const ProgressRow& row, std::size_t width);

// The progress of one run. Called from the thread that evaluates.
class ProgressDisplay final : public EvaluateObserver {
 public:
  // Both references must outlive it.
  ProgressDisplay(ProgressBoard& board, std::string task, std::string model, MetricInfo primary,
                  const Clock& clock);
  ~ProgressDisplay() override;  // leaves the last state on a line of its own
  void on_progress(const Progress& progress) override;

 private:
  std::string line(const Progress& progress) const;

  ProgressBoard& board_;
  const int place_;
  std::string task_, model_;
  MetricInfo primary_;
  const Clock& clock_;
  Clock::time_point started_, drawn_;
  bool drawn_once_ = false;
  Progress last_;
};

}  // namespace micius
