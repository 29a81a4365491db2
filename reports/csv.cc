#include <memory>

#include <fmt/format.h>

#include "base/text.h"
#include "core/report_writer.h"

namespace micius {
namespace {

// RFC 4180: quotes only where they are needed.
std::string field(const std::string& text) {
  std::string valid = to_valid_utf8(text);
  if (valid.find_first_of(",\"\r\n") == std::string::npos) return valid;
  return "\"" + replace_all(valid, "\"", "\"\"") + "\"";
}

std::string field(const std::optional<double>& number) { return number ? fmt::format("{}", *number) : ""; }

void write_rows(const Report& report, const std::string& by, const std::string& key,
                const std::vector<Metric>& metrics, std::ostream& out) {
  const std::string run =
      report.execution ? fmt::format("{}", static_cast<std::int64_t>(report.execution->id)) : "";
  for (const Metric& metric : metrics) {
    if (!metric.estimate) continue;
    const Estimate& e = *metric.estimate;
    out << fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}\r\n", run, field(report.spec.task),
                       field(report.spec.model.name), field(by), field(key), field(metric.name),
                       field(metric.unit), field(e.value), field(e.low), field(e.high), field(e.stderr_),
                       e.n);
  }
}

// One row a (run, metric, group); `by` and `key` are empty for the whole run. What is absent is an empty
// field.
class CsvWriter final : public ReportWriter {
 public:
  std::string_view format() const override { return "csv"; }

  void write(const ReportSet& set, std::ostream& out) const override {
    out << "run,task,model,by,key,metric,unit,value,low,high,stderr,n\r\n";
    for (const Report& report : set.reports) {
      write_rows(report, "", "", report.metrics, out);
      for (const Group& group : report.groups) write_rows(report, group.by, group.key, group.metrics, out);
    }
  }
};

}  // namespace

std::unique_ptr<ReportWriter> make_csv_writer(const ReportStyle&) { return std::make_unique<CsvWriter>(); }

}  // namespace micius
