// Renders reports.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

#include "core/report.h"

namespace micius {

// How a report is laid out; never what it says. A writer uses what its format has.
struct ReportStyle {
  std::size_t width = 120;  // columns of the terminal
  bool groups = false;      // text and md: the groups of every run as well
  bool samples = false;     // junit: a case a sample as well
  bool colour = false;      // text: state in colour
  std::string places = {};  // text: flags that the commands it names need to find the database, " --db x"
};

// Same reports, same bytes; nothing depends on the time or the machine that renders.
class ReportWriter {
 public:
  virtual ~ReportWriter() = default;
  virtual std::string_view format() const = 0;  // "html", "md", "json", "csv", "text", "junit", "latex"
  virtual void write(const ReportSet& reports, std::ostream& out) const = 0;
};

}  // namespace micius
