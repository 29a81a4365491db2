// The parts of the HTML report.
#pragma once

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/report.h"
#include "reports/grid_internal.h"

namespace micius {

// Text of an element or of a quoted attribute: safe, visible, on as many lines as it has.
std::string html(std::string_view text);

// The horizontal axis that the plots of one section share: from 0 to a round number above every interval.
class Scale {
 public:
  explicit Scale(std::string unit) : unit_(std::move(unit)) {}
  void include(const Metric& metric);
  void include(const Estimate& estimate);
  double end() const;                    // in the metric's unit
  double percent(double value) const;    // of the axis
  std::string label(double part) const;  // of the tick at `part` of the axis: 0, 0.5, 1
  bool fits(const Metric& metric) const { return metric.unit == unit_; }

 private:
  std::string unit_;
  double largest_ = 0;
};

// The same for differences: around 0, as wide on both sides. Units that are not the scale's have no place on
// it.
class DifferenceScale {
 public:
  explicit DifferenceScale(std::string unit) : unit_(std::move(unit)) {}
  void include(const Estimate& difference, const std::string& unit);
  bool fits(const std::string& unit) const { return unit == unit_; }
  // A dot with its interval and the line at 0, in a model's colour and shape where one is given.
  std::string track(const Estimate& difference, std::optional<std::size_t> model = {}) const;
  std::string axis() const;

 private:
  double end() const;
  double percent(double value) const;

  std::string unit_;
  double largest_ = 0;
};

// How many pairs A won, neither won and B won, as parts of one bar.
std::string wins_svg(const WinTieLoss& wins, std::size_t a, std::size_t b);

// One model in a plot of two estimates.
struct Point {
  Estimate x, y;
  std::size_t model = 0;
};
// Points with both intervals; y is a fraction. `words` says of each point what a reader who cannot see it
// needs.
std::string scatter_svg(const std::vector<Point>& points, const Scale& x, const Scale& y,
                        const std::string& words);

// A dot with its interval on the axis. SVG in percent of its width: it stretches and its marks do not.
std::string track_svg(const Metric& metric, const Scale& scale, std::size_t model);
std::string axis_svg(const Scale& scale);
// The mark of a model beside its name: its colour and its shape.
std::string key_svg(std::size_t model);
std::string model_class(std::size_t model);  // "m0", the colour

// A note holds commands between backquotes.
std::string note_html(std::string_view note);

std::string slug(std::string_view text);  // for ids: a-z, 0-9 and -
// A value in the address of the page: a-z, A-Z, 0-9, - _ . and percent signs.
std::string query_text(std::string_view text);

void write_summary(const Grid& grid, std::ostream& out);
void write_versus(const Grid& grid, std::ostream& out);  // nothing where nothing is compared
void write_leagues(const Grid& grid, const std::vector<League>& leagues, std::ostream& out);
void write_where(const Grid& grid, std::ostream& out);
void write_wrong(const Grid& grid, std::size_t task, std::ostream& out);  // nothing where no reason is shared
void write_health(const Grid& grid, std::ostream& out);
void write_cost(const Grid& grid, std::ostream& out);
void write_how(const Grid& grid, std::ostream& out);

// The heads and cells of the published columns of `reports`' first task, grey and apart.
std::vector<std::string> published_models(const std::vector<Published>& rows);
std::string published_cell(const std::vector<Published>& rows, std::string_view model,
                           std::string_view metric);

// The samples as JSON for the page's script, in parts that it unpacks when they are needed.
struct SampleData {
  std::string head;               // models, runs, comparisons
  std::vector<std::string> runs;  // the rows of each run, by column
  std::string texts;              // of all runs; "" if they are over the limit and left out
  std::size_t records = 0;
};
SampleData sample_data(const Grid& grid, std::size_t text_limit);

std::string gzip(std::string_view bytes);

// The files of the assets folder.
extern const std::string_view kStyleSheet, kScript;

}  // namespace micius
