// Plots as SVG whose horizontal positions are percents: one drawing serves every width.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/format.h"
#include "reports/html_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

constexpr int kColours = 8, kHeight = 18;

// Circle, square, diamond, triangles: a shape as well as a colour tells models apart.
constexpr std::array<std::string_view, 5> kShapes = {"M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
                                                     "M-4-4h8v8h-8z", "M0-5.5 5.5 0 0 5.5-5.5 0z",
                                                     "M0-5 5 4H-5z", "M0 5-5-4H5z"};

std::string_view shape(std::size_t model) { return kShapes[model % kShapes.size()]; }

// A round number at or above `largest`.
double round_end(const std::string& unit, double largest) {
  constexpr std::array<double, 7> kFractions = {0.05, 0.1, 0.2, 0.25, 0.5, 0.75, 1};
  if (unit == "fraction") {
    const auto it = std::lower_bound(kFractions.begin(), kFractions.end(), largest);
    return it == kFractions.end() ? std::max(1.0, largest) : *it;
  }
  double power = 1;
  while (power < largest && power < 1e300) power *= 10;
  while (power > 10 * largest && power > 1e-300 && largest > 0) power /= 10;
  for (const double part : {0.1, 0.2, 0.5})
    if (largest <= part * power) return part * power;
  return power;
}

std::string vertical(std::string_view css_class, double percent) {
  return fmt::format(R"(<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="0" y2="{}"/>)", css_class, percent,
                     percent, kHeight);
}

}  // namespace

void Scale::include(const Metric& metric) {
  if (metric.estimate && fits(metric)) include(*metric.estimate);
}

void Scale::include(const Estimate& estimate) {
  largest_ = std::max({largest_, estimate.value, estimate.high.value_or(0)});
}

double Scale::end() const { return round_end(unit_, largest_); }

double Scale::percent(double value) const { return std::clamp(100 * value / end(), 0.0, 100.0); }

std::string Scale::label(double part) const {
  const double value = part * end();
  return unit_ == "fraction" ? fmt::format("{:.4g}{}", 100 * value, part == 1 ? " %" : "")
                             : format_value(value, unit_);
}

std::string model_class(std::size_t model) { return fmt::format("m{}", model % kColours); }

std::string key_svg(std::size_t model) {
  return fmt::format(
      R"(<svg class="key {}" width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true"><path class="mark" d="{}"/></svg>)",
      model_class(model), shape(model));
}

std::string axis_svg(const Scale& scale) {
  return fmt::format(
      R"(<svg class="axis" width="100%" height="14" aria-hidden="true"><text x="0" y="11">{}</text><text x="50%" y="11" text-anchor="middle">{}</text><text x="100%" y="11" text-anchor="end">{}</text></svg>)",
      scale.label(0), scale.label(0.5), scale.label(1));
}

std::string track_svg(const Metric& metric, const Scale& scale, std::size_t model) {
  std::string svg = fmt::format(
      R"(<svg class="track {}" width="100%" height="{}" role="img" aria-label="{}, 95 % interval {}">)",
      model_class(model), kHeight, value_text(metric), interval_text(metric, " to "));
  for (const double tick : {0.0, 25.0, 50.0, 75.0, 100.0}) svg += vertical(tick == 0 ? "zero" : "tick", tick);
  if (metric.estimate) {
    const Estimate& e = *metric.estimate;
    if (e.low && e.high)
      svg += fmt::format(R"(<line class="whisker" x1="{:.2f}%" x2="{:.2f}%" y1="9" y2="9"/>)",
                         scale.percent(*e.low), scale.percent(*e.high));
    svg += fmt::format(R"(<svg x="{:.2f}%" y="9" overflow="visible"><path class="mark" d="{}"/></svg>)",
                       scale.percent(e.value), shape(model));
  }
  return svg + "</svg>";
}

void DifferenceScale::include(const Estimate& difference, const std::string& unit) {
  if (!fits(unit)) return;
  for (const double x : {difference.value, difference.low.value_or(0), difference.high.value_or(0)})
    largest_ = std::max(largest_, std::abs(x));
}

// Two shares differ by 1 at most, whatever a t interval of few samples says.
double DifferenceScale::end() const {
  const double round = round_end(unit_, largest_);
  return unit_ == "fraction" ? std::min(1.0, round) : round;
}

double DifferenceScale::percent(double value) const {
  return std::clamp(50 + 50 * value / end(), 0.0, 100.0);
}

std::string DifferenceScale::track(const Estimate& difference, std::optional<std::size_t> model) const {
  const auto text = [&](double value) { return format_difference(value, unit_); };
  std::string words = text(difference.value);
  if (difference.low && difference.high)
    words += fmt::format(", 95 % interval {} to {}", text(*difference.low), text(*difference.high));
  std::string svg =
      fmt::format(R"(<svg class="track {}" width="100%" height="{}" role="img" aria-label="{}">)",
                  model ? model_class(*model) : "difference", kHeight, words);
  for (const double tick : {0.0, 25.0, 50.0, 75.0, 100.0})
    svg += vertical(tick == 50 ? "zero" : "tick", tick);
  if (difference.low && difference.high)
    svg += fmt::format(R"(<line class="whisker" x1="{:.2f}%" x2="{:.2f}%" y1="9" y2="9"/>)",
                       percent(*difference.low), percent(*difference.high));
  return svg +
         fmt::format(R"(<svg x="{:.2f}%" y="9" overflow="visible"><path class="mark" d="{}"/></svg></svg>)",
                     percent(difference.value), shape(model.value_or(0)));
}

std::string DifferenceScale::axis() const {
  const std::string number =
      unit_ == "fraction" ? fmt::format("{:.4g}", 100 * end()) : fmt::format("{:.4g}", end());
  return fmt::format(
      R"(<svg class="axis" width="100%" height="14" aria-hidden="true"><text x="0" y="11">-{}</text><text x="50%" y="11" text-anchor="middle">0</text><text x="100%" y="11" text-anchor="end">+{}</text></svg>)",
      number, number);
}

std::string wins_svg(const WinTieLoss& wins, std::size_t a, std::size_t b) {
  const auto all = static_cast<double>(std::max<std::size_t>(1, wins.win + wins.tie + wins.loss));
  std::string svg = fmt::format(
      R"(<svg class="share" width="100%" height="12" role="img" aria-label="A wins {}, ties {}, B wins {}">)",
      wins.win, wins.tie, wins.loss);
  double from = 0;
  const auto part = [&](std::size_t n, const std::string& css_class) {
    const double width = 100 * static_cast<double>(n) / all;
    if (n > 0)
      svg += fmt::format(R"(<rect class="{}" x="{:.2f}%" y="0" width="{:.2f}%" height="12"/>)", css_class,
                         from, width);
    from += width;
  };
  part(wins.win, model_class(a));
  part(wins.tie, "tie");
  part(wins.loss, model_class(b));
  return svg + "</svg>";
}

std::string scatter_svg(const std::vector<Point>& points, const Scale& x, const Scale& y,
                        const std::string& words) {
  const auto line = [](std::string_view css_class, double x1, double x2, double y1, double y2) {
    return fmt::format(R"(<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="{:.2f}%" y2="{:.2f}%"/>)", css_class,
                       x1, x2, y1, y2);
  };
  std::string svg = fmt::format(
      R"(<svg class="scatter" width="100%" height="200" role="img" aria-label="{}">)", html(words));
  for (const double tick : {0.0, 25.0, 50.0, 75.0, 100.0}) {
    svg += line(tick == 0 ? "zero" : "tick", tick, tick, 0, 100);
    svg += line(tick == 100 ? "zero" : "tick", 0, 100, tick, tick);
  }
  for (const Point& p : points) {
    const double at_x = x.percent(p.x.value), at_y = 100 - y.percent(p.y.value);
    svg += fmt::format(R"(<g class="{}">)", model_class(p.model));
    if (p.x.low && p.x.high) svg += line("whisker", x.percent(*p.x.low), x.percent(*p.x.high), at_y, at_y);
    if (p.y.low && p.y.high)
      svg += line("whisker", at_x, at_x, 100 - y.percent(*p.y.low), 100 - y.percent(*p.y.high));
    svg += fmt::format(
        R"(<svg x="{:.2f}%" y="{:.2f}%" overflow="visible"><path class="mark" d="{}"/></svg></g>)", at_x,
        at_y, shape(p.model));
  }
  return svg + "</svg>";
}

}  // namespace micius
