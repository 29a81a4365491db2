// JUnit XML as Jenkins, GitLab and GitHub's actions read it: testsuites, testsuite, testcase with skipped,
// error or failure.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "core/names.h"
#include "core/report_writer.h"
#include "reports/layout_internal.h"
#include "reports/xml_internal.h"

namespace micius {

std::string xml_text(const std::string& text) {
  std::string out = visible_text(text);
  for (const char* none : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"})  // U+FFFE, U+FFFF: no characters of XML 1.0
    out = replace_all(std::move(out), none, "\xEF\xBF\xBD");
  out = replace_all(out, "&", "&amp;");
  out = replace_all(out, "<", "&lt;");
  out = replace_all(out, ">", "&gt;");
  return replace_all(out, "\"", "&quot;");
}

namespace {

constexpr std::size_t kLongestAnswer = 2000;

struct Tally {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
};

// What a case says beside its name: element is failure, error, skipped or system-out, or "" for nothing.
struct Outcome {
  std::string element = {}, type = {}, message = {}, text = {};
};

void write_case(const std::string& task, const std::string& name, const std::optional<double>& seconds,
                const Outcome& outcome, Tally& tally, std::string& out) {
  ++tally.tests;
  tally.failures += outcome.element == "failure";
  tally.errors += outcome.element == "error";
  tally.skipped += outcome.element == "skipped";
  out += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", xml_text(task), xml_text(name));
  if (seconds) out += fmt::format(" time=\"{:.3f}\"", *seconds);
  if (outcome.element.empty()) {
    out += "/>\n";
    return;
  }
  out += fmt::format(">\n      <{}", outcome.element);
  if (!outcome.type.empty()) out += fmt::format(" type=\"{}\"", xml_text(outcome.type));
  if (!outcome.message.empty()) out += fmt::format(" message=\"{}\"", xml_text(outcome.message));
  out += outcome.text.empty() ? "/>\n" : fmt::format(">{}</{}>\n", xml_text(outcome.text), outcome.element);
  out += "    </testcase>\n";
}

// Did the run do what it was to do?
Outcome completeness(const Report& report, const std::string& places) {
  const std::vector<std::string> notes = notes_of(report, places);
  if (report.status == RunStatus::kComplete && report.counts.failed == 0)
    return notes.empty() ? Outcome{} : Outcome{"system-out", "", "", join(notes, "\n")};
  return {
      "error", std::string(name_of(report.status)),
      fmt::format("{}: {} records of {}, {} failed", name_of(report.status),
                  report.counts.scored + report.counts.unscored, report.counts.total, report.counts.failed),
      join(notes, "\n")};
}

Outcome outcome_of(const Record& record) {
  if (record.failure) return {"error", record.failure->code, record.failure->message, ""};
  const std::string verdict(name_of(record.score.verdict));
  switch (record.score.verdict) {
    case Verdict::kCorrect:
      return {};
    case Verdict::kUnscored:
      return {"skipped", "", record.score.reason, ""};
    case Verdict::kPartial:
    case Verdict::kIncorrect:
    case Verdict::kNoAnswer:
      break;
  }
  return {"failure", verdict, verdict + ": " + record.score.reason,
          shorten(record.score.answer, kLongestAnswer)};
}

std::optional<double> seconds_of(const Report& report, const Record& record) {
  if (!report.execution) return std::nullopt;
  std::chrono::duration<double> sum{};
  for (const Turn& turn : record.turns) sum += turn.completion.timing.done - turn.completion.timing.planned;
  return sum.count();
}

// One suite a run: a case for its completeness, one a metric, and where wanted one a record.
class JunitWriter final : public ReportWriter {
 public:
  explicit JunitWriter(const ReportStyle& style) : style_(style) {}
  std::string_view format() const override { return "junit"; }

  void write(const ReportSet& set, std::ostream& out) const override {
    out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"micius report\">\n";
    for (std::size_t i = 0; i < set.reports.size(); ++i) write_suite(set, i, out);
    out << "</testsuites>\n";
  }

 private:
  void write_suite(const ReportSet& set, std::size_t index, std::ostream& out) const {
    const Report& report = set.reports[index];
    const std::string& task = report.spec.task;
    Tally tally;
    std::string cases;
    write_case(task, "complete", {}, completeness(report, style_.places), tally, cases);
    for (const Metric& metric : report.metrics) {
      if (!metric.estimate) continue;
      write_case(task, metric.name, {},
                 {"system-out", "", "",
                  fmt::format("{}, 95 % interval {}, n = {}", value_text(metric), interval_text(metric),
                              metric.estimate->n)},
                 tally, cases);
    }
    if (style_.samples)
      set.records(index, [&](const Record& record) {
        const std::string repeat = report.spec.repeats > 1 ? fmt::format(", repeat {}", record.repeat) : "";
        write_case(task, record.sample.id + repeat, seconds_of(report, record), outcome_of(record), tally,
                   cases);
      });
    out << fmt::format(
        "  <testsuite name=\"{}, {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        xml_text(task), xml_text(model_text(report.spec.model)), tally.tests, tally.failures, tally.errors,
        tally.skipped);
    if (report.execution) {
      out << fmt::format(" time=\"{:.3f}\"", static_cast<double>(report.execution->wall_ns) / 1e9);
      if (report.execution->started.ends_with('Z'))
        out << fmt::format(" timestamp=\"{}\"", xml_text(report.execution->started.substr(
                                                    0, report.execution->started.size() - 1)));
    }
    out << ">\n" << cases << "  </testsuite>\n";
  }

  ReportStyle style_;
};

}  // namespace

std::unique_ptr<ReportWriter> make_junit_writer(const ReportStyle& style) {
  return std::make_unique<JunitWriter>(style);
}

}  // namespace micius
