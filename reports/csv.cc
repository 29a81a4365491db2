#include <charconv>
#include <cmath>
#include <memory>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "core/report_writer.h"
#include "reports/csv_internal.h"

namespace micius {

namespace {

bool is_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(number);
}

}  // namespace

std::string csv_field(const std::string& text) {
  std::string valid = to_valid_utf8(text);
  const bool may_be_formula = valid.find_first_of("=+-@\t\r") == 0;
  if (may_be_formula && !is_number(valid)) valid.insert(0, 1, '\'');
  if (valid.find_first_of(",\"\r\n") == std::string::npos) return valid;
  return "\"" + replace_all(valid, "\"", "\"\"") + "\"";
}

namespace {

std::string field(const std::string& text) { return csv_field(text); }
std::string field(const std::optional<double>& number) { return number ? fmt::format("{}", *number) : ""; }

// The first fields of a row.
struct Place {
  std::string run, task, model, note = {}, by = {}, key = {};
};

void write_rows(const Place& place, const std::vector<Metric>& metrics, std::ostream& out) {
  for (const Metric& metric : metrics) {
    if (!metric.estimate) continue;
    const Estimate& e = *metric.estimate;
    out << fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n", place.run, field(place.task),
                       field(place.model), field(place.by), field(place.key), field(metric.name),
                       field(metric.unit), field(e.value), field(e.low), field(e.high), field(e.stderr_), e.n,
                       field(place.note));
  }
}

// One row a (run, metric, group); `by` and `key` are empty for the whole run, `run` for a figure over
// several, whose task is the suite. What is absent is an empty field.
class CsvWriter final : public ReportWriter {
 public:
  std::string_view format() const override { return "csv"; }

  void write(const ReportSet& set, std::ostream& out) const override {
    out << "run,task,model,by,key,metric,unit,value,low,high,stderr,n,note\r\n";
    for (const Report& report : set.reports) {
      const std::string run =
          report.execution ? fmt::format("{}", static_cast<std::int64_t>(report.execution->id)) : "";
      const std::string &task = report.spec.task, &model = report.spec.model.name;
      const std::string note = join(report.spec.notes, "; ");
      write_rows({run, task, model, note}, report.metrics, out);
      for (const Group& group : report.groups)
        write_rows({run, task, model, note, group.by, group.key}, group.metrics, out);
    }
    for (const Aggregate& aggregate : set.aggregates)
      write_rows({"", aggregate.name, aggregate.model}, aggregate.metrics, out);
  }
};

}  // namespace

std::unique_ptr<ReportWriter> make_csv_writer(const ReportStyle&) { return std::make_unique<CsvWriter>(); }

}  // namespace micius
