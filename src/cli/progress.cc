#include "cli/progress.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/terminal.h"

namespace micius {
namespace {

using namespace std::chrono_literals;

constexpr auto kLivePeriod = 100ms;
constexpr auto kPlainPeriod = 10s;
constexpr std::size_t kLongestBar = 24, kShortestBar = 6;  // columns

std::string bar(const Progress& progress, std::size_t cells) {
  const std::size_t halves = progress.total == 0 ? 0 : 2 * cells * progress.done / progress.total;
  std::string text;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    text += 2 * cell + 1 < halves ? "━" : 2 * cell < halves ? "╸" : " ";
  }
  return text;
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
  const std::lock_guard lock(mutex_);
  draw(fmt::format("{}\n", text));
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

std::string ProgressDisplay::score(const Progress& progress) const {
  const auto estimate = primary_.reduction == Reduction::kExpNegMean ? progress.primary.exp_neg_estimate()
                                                                     : progress.primary.estimate();
  if (!estimate) return fmt::format("{}  -", primary_.name);
  std::string text = fmt::format("{} {:>6}", primary_.name, format_value(estimate->value, primary_.unit));
  if (estimate->low && estimate->high && primary_.unit == "fraction") {
    text += fmt::format(" ({:.1f} .. {:.1f})", 100 * std::max(0.0, *estimate->low),
                        100 * std::min(1.0, *estimate->high));
  }
  return text;
}

// What may follow the score, the most wanted first.
std::vector<std::string> ProgressDisplay::extras(const Progress& progress) const {
  const auto elapsed = clock_.now() - started_;
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const double rate = seconds > 0 ? static_cast<double>(progress.new_records) / seconds : 0;
  const std::size_t over = progress.done + progress.failed;
  std::vector<std::string> parts;
  if (progress.failed > 0) parts.push_back(fmt::format("{} failed", progress.failed));
  if (over >= progress.total) {
    parts.push_back(format_duration(elapsed));
  } else if (rate > 0) {
    const std::chrono::duration<double> left(static_cast<double>(progress.total - over) / rate);
    parts.push_back(format_duration(std::chrono::duration_cast<std::chrono::nanoseconds>(left)) + " left");
  }
  if (rate > 0) parts.push_back(format_rate(rate) + " samples/s");
  return parts;
}

// On a terminal whole parts are left out where there is no room; names are cut where they leave none for the
// score.
std::string ProgressDisplay::line(const Progress& progress) const {
  constexpr std::size_t kTask = 14, kModel = 16;  // columns
  const bool is_live = board_.mode() == ProgressMode::kLive;
  const std::size_t width = is_live ? board_.width() : 0;  // 0: no limit
  std::string tail = fmt::format("{:>5}/{}  {}", progress.done, progress.total, score(progress));
  std::string head = fmt::format("{:<{}} {:<{}} ", task_, kTask, model_, kModel);
  if (width != 0 && code_points(head + tail) >= width)
    head = fmt::format("{:<{}} {:<{}} ", shorten(task_, kTask), kTask, shorten(model_, kModel), kModel);
  for (const std::string& part : extras(progress)) {
    if (width == 0 || code_points(head + tail + part) + 3 <= width) tail += "  " + part;
  }
  const std::size_t used = code_points(head) + code_points(tail) + 2;
  const std::size_t cells = width > used ? std::min(width - used, kLongestBar) : 0;
  return is_live && cells >= kShortestBar ? head + bar(progress, cells) + " " + tail : head + tail;
}

}  // namespace micius
