// Renders reports.
#pragma once

#include <ostream>
#include <string_view>

#include "core/report.h"

namespace micius {

// Same reports, same bytes; nothing depends on the time or the machine that renders.
class ReportWriter {
 public:
  virtual ~ReportWriter() = default;
  virtual std::string_view format() const = 0;  // "html", "md", "json", "csv", "text"
  virtual void write(const ReportSet& reports, std::ostream& out) const = 0;
};

}  // namespace micius
