// Plots as SVG whose horizontal positions are percents: one drawing serves every width.
#include <algorithm>
#include <array>

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

std::string vertical(std::string_view css_class, double percent) {
  return fmt::format(R"(<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="0" y2="{}"/>)", css_class, percent,
                     percent, kHeight);
}

}  // namespace

void Scale::include(const Metric& metric) {
  if (!metric.estimate || !fits(metric)) return;
  largest_ = std::max({largest_, metric.estimate->value, metric.estimate->high.value_or(0)});
}

double Scale::end() const {
  constexpr std::array<double, 7> kFractions = {0.05, 0.1, 0.2, 0.25, 0.5, 0.75, 1};
  if (unit_ == "fraction") {
    const auto it = std::lower_bound(kFractions.begin(), kFractions.end(), largest_);
    return it == kFractions.end() ? std::max(1.0, largest_) : *it;
  }
  double power = 1;
  while (power < largest_ && power < 1e300) power *= 10;
  for (const double part : {0.1, 0.2, 0.5})
    if (largest_ <= part * power) return part * power;
  return power;
}

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

}  // namespace micius
