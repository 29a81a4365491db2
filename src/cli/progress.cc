#include "cli/progress.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "base/wrap.h"
#include "cli/terminal.h"

namespace micius {
namespace {

using namespace std::chrono_literals;

constexpr auto kLivePeriod = 100ms;
constexpr auto kPlainPeriod = 10s;

// How the columns of a terminal are shared out. By its width alone, so that the rows of all runs line up.
struct Columns {
  std::size_t task, model, bar;
};
Columns columns_of(std::size_t width) {
  if (width != 0 && width < 70) return {10, 12, 0};
  return {14, 16, width < 120 ? 0u : width < 140 ? 12u : 24u};
}

std::string bar(const Progress& progress, std::size_t cells) {
  const std::size_t halves = progress.total == 0 ? 0 : 2 * cells * progress.done / progress.total;
  std::string text;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    text += 2 * cell + 1 < halves ? "━" : 2 * cell < halves ? "╸" : " ";
  }
  return text;
}

// The task from its beginning, the model up to its end: where the names of a sweep differ.
std::string names(const ProgressRow& row, const Columns& columns) {
  const std::u32string model = decode_utf8(row.model);
  std::string end = row.model;
  if (model.size() > columns.model)
    end = ".." + encode_utf8(std::u32string_view(model).substr(model.size() - columns.model + 2));
  std::string task = row.task;
  if (code_points(task) > columns.task) task = shorten(task, columns.task - 3);  // and three dots
  return fmt::format("{:<{}} {:<{}}", task, columns.task, end, columns.model);
}

std::optional<Estimate> score_of(const ProgressRow& row) {
  const RunningMean& mean = row.progress.primary;
  return row.primary.reduction == Reduction::kExpNegMean ? mean.exp_neg_estimate() : mean.estimate();
}

// What may follow the score, the most wanted first; in columns where something may follow.
std::vector<std::string> extras(const ProgressRow& row, const std::optional<Estimate>& score) {
  const Progress& progress = row.progress;
  const double seconds = std::chrono::duration<double>(row.elapsed).count();
  const double rate = seconds > 0 ? static_cast<double>(progress.new_records) / seconds : 0;
  const std::size_t over = progress.done + progress.failed;
  std::vector<std::string> parts;
  if (progress.failed > 0) parts.push_back(fmt::format("{} failed", progress.failed));
  if (over >= progress.total) {
    parts.push_back(fmt::format("{:<14}", format_duration(row.elapsed)));
  } else if (rate > 0) {
    const std::chrono::duration<double> left(static_cast<double>(progress.total - over) / rate);
    parts.push_back(fmt::format(
        "{:<14}", format_duration(std::chrono::duration_cast<std::chrono::nanoseconds>(left)) + " left"));
  }
  if (score && score->low && score->high && row.primary.unit == "fraction") {
    parts.push_back(fmt::format("{:<15}", fmt::format("{:.1f} .. {:.1f}", 100 * std::max(0.0, *score->low),
                                                      100 * std::min(1.0, *score->high))));
  }
  parts.push_back(row.primary.name);
  if (rate > 0) parts.push_back(format_rate(rate) + " samples/s");
  return parts;
}

std::string cut_to_width(const std::string& text, std::size_t width) {
  const std::u32string points = decode_utf8(text);
  return encode_utf8(std::u32string_view(points).substr(0, width));
}

}  // namespace

ProgressMode progress_mode_from(const std::string& word) {
  if (word == "none") return ProgressMode::kNone;
  if (word == "plain") return ProgressMode::kPlain;
  if (word == "auto") return allows_colour(stderr) ? ProgressMode::kLive : ProgressMode::kPlain;
  fail(ErrorCode::kUsage, "--progress '{}' is none of auto, plain, none{}", word,
       did_you_mean(word, {"auto", "plain", "none"}));
}

std::size_t ProgressBoard::width() const { return terminal_width(out_); }

void ProgressBoard::print(std::string_view text) {
  std::string lines;
  for (const std::string_view line : split(text, '\n')) {
    const bool fits = mode_ != ProgressMode::kLive || code_points(line) < width();
    lines += (fits ? std::string(line) : wrap(std::string(line), width() - 1, 2)) + "\n";
  }
  const std::lock_guard lock(mutex_);
  draw(lines);
}

int ProgressBoard::add() {
  const std::lock_guard lock(mutex_);
  return next_place_++;
}

void ProgressBoard::show(int place, std::string line) {
  const std::lock_guard lock(mutex_);
  if (mode_ == ProgressMode::kPlain) return draw(line + "\n");
  if (mode_ == ProgressMode::kNone) return;
  lines_[place] = std::move(line);
  draw("");
}

void ProgressBoard::end(int place, std::string line) {
  const std::lock_guard lock(mutex_);
  if (mode_ == ProgressMode::kNone) return;
  lines_.erase(place);
  draw(line + "\n");
}

// One write, so that what another process prints does not come between.
void ProgressBoard::draw(std::string_view above) {
  std::string text;
  if (drawn_ > 0) text += drawn_ > 1 ? fmt::format("\r\x1b[{}A\x1b[J", drawn_ - 1) : "\r\x1b[J";
  text += above;
  // A terminal that is too low would roll lines away that are then drawn anew.
  const std::size_t most = std::max<std::size_t>(2, terminal_height(out_)) - 1;
  drawn_ = 0;
  for (const auto& [place, line] : lines_) {
    if (drawn_ + 1 == most && lines_.size() > most) {
      text += fmt::format("\n.. and {} more", lines_.size() - drawn_);
      ++drawn_;
      break;
    }
    text += (drawn_ > 0 ? "\n" : "") + cut_to_width(line, terminal_width(out_) - 1);
    ++drawn_;
  }
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

ProgressDisplay::ProgressDisplay(ProgressBoard& board, std::string task, std::string model,
                                 MetricInfo primary, const Clock& clock)
    : board_(board),
      place_(board.add()),
      task_(std::move(task)),
      model_(std::move(model)),
      primary_(std::move(primary)),
      clock_(clock),
      started_(clock.now()),
      drawn_(started_) {}

ProgressDisplay::~ProgressDisplay() {
  if (last_.total > 0) board_.end(place_, line(last_));
}

void ProgressDisplay::on_progress(const Progress& progress) {
  last_ = progress;
  if (board_.mode() == ProgressMode::kNone) return;
  const bool is_live = board_.mode() == ProgressMode::kLive;
  const auto period = is_live ? Clock::time_point::duration(kLivePeriod) : kPlainPeriod;
  const auto now = clock_.now();
  const bool first = is_live && !std::exchange(drawn_once_, true);
  if (!first && now - drawn_ < period) return;
  if (!is_live && progress.done + progress.failed == progress.total) return;  // the last line follows at once
  drawn_ = now;
  board_.show(place_, line(progress));
}

std::string progress_line(const ProgressRow& row, std::size_t width) {
  const Columns columns = columns_of(width);
  const std::optional<Estimate> score = score_of(row);
  std::string line = names(row, columns) + " ";
  if (columns.bar > 0) line += bar(row.progress, columns.bar) + " ";
  line += fmt::format("{:>5}/{}  {:>7}", row.progress.done, row.progress.total,
                      score ? format_value(score->value, row.primary.unit) : "-");
  for (const std::string& part : extras(row, score)) {
    if (width == 0 || code_points(line + std::string(strip_right(part))) + 2 < width) line += "  " + part;
  }
  return cut_to_width(std::string(strip_right(line)), width == 0 ? line.size() : width - 1);
}

std::string ProgressDisplay::line(const Progress& progress) const {
  const std::size_t width = board_.mode() == ProgressMode::kLive ? board_.width() : 0;
  return progress_line({task_, model_, primary_, progress, clock_.now() - started_}, width);
}

}  // namespace micius
