#include "base/text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "base/wrap.h"
#include "core/report_writer.h"
#include "reports/columns_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

enum class State { kGood, kUnfinished, kFailed };

// The cells of one line, in the order in which columns stand; they fall away from the right.
struct Row {
  std::string run, task, model, n, primary, value, interval, failed, no_answer, tokens, time;
  State state = State::kGood;
};

void set_metric(Row& row, const Metric* metric) {
  if (metric == nullptr) return;
  row.primary = visible_line(metric->name);
  row.value = value_text(*metric);
  row.interval = interval_text(*metric);
}

Row row_of(const Report& report) {
  Row row;
  row.task = visible_line(report.spec.task);
  row.model = visible_line(report.spec.model.name);
  row.n = done_text(report.counts);
  const Metric* primary = primary_of(report);
  set_metric(row, primary);
  if (report.spec.repeats > 1 && primary != nullptr && primary->estimate) {
    row.n = fmt::format("{}", primary->estimate->n);  // samples; the counts are of records
  }
  row.failed = fmt::format("{}", report.counts.failed);
  row.no_answer = fmt::format("{}", report.counts.no_answer);
  row.tokens = fmt::format("{} / {}", format_count(report.usage.prompt_tokens),
                           format_count(report.usage.completion_tokens));
  if (report.execution) {
    row.run = fmt::format("{}", static_cast<std::int64_t>(report.execution->id));
    row.time = format_duration(std::chrono::nanoseconds(report.execution->wall_ns));
  }
  if (report.counts.failed > 0) {
    row.state = State::kFailed;
  } else if (report.status != RunStatus::kComplete) {
    row.state = State::kUnfinished;
  }
  return row;
}

Row row_of(const Group& group) {
  Row row;
  row.task = fmt::format("  {} {}", visible_line(group.by), visible_line(group.key));
  row.n = fmt::format("{}", group.n);
  if (!group.metrics.empty()) set_metric(row, &group.metrics.front());
  row.primary = "";  // the run's, on the line above
  return row;
}

std::vector<Row> rows_of(const ReportSet& set, const ReportStyle& style) {
  std::vector<Row> rows;
  for (const Report& report : set.reports) {
    rows.push_back(row_of(report));
    if (!style.groups) continue;
    for (const Group& group : report.groups) rows.push_back(row_of(group));
  }
  return rows;
}

std::vector<Column> columns_of(const std::vector<Row>& rows, bool executed) {
  std::vector<Column> columns;
  const auto add = [&](const char* head, Align align, std::string Row::*cell) {
    Column column{head, align, {}};
    for (const Row& row : rows) column.cells.push_back(row.*cell);
    columns.push_back(std::move(column));
  };
  if (executed) add("run", Align::kRight, &Row::run);
  add("task", Align::kLeft, &Row::task);
  add("model", Align::kLeft, &Row::model);
  add("n", Align::kRight, &Row::n);
  add("primary", Align::kLeft, &Row::primary);
  add("value", Align::kDecimal, &Row::value);
  add("95 % interval", Align::kPair, &Row::interval);
  add("failed", Align::kRight, &Row::failed);
  add("no answer", Align::kRight, &Row::no_answer);
  add("tokens in/out", Align::kPair, &Row::tokens);
  if (executed) add("time", Align::kRight, &Row::time);
  return columns;
}

// Colour marks state and carries no meaning alone: the columns and notes say the same.
std::string coloured(const std::string& line, State state) {
  if (state == State::kGood) return line;
  return (state == State::kFailed ? "\x1b[31m" : "\x1b[33m") + line + "\x1b[0m";
}

// "aimicius, smollm2-135m: 4.2 % (2.9 .. 5.5), the mean of its tasks' primaries".
void write_aggregates(const ReportSet& set, std::size_t width, std::ostream& out) {
  std::string lines;
  for (const Aggregate& aggregate : set.aggregates) {
    for (const Metric& metric : aggregate.metrics) {
      const std::string interval =
          metric.estimate && metric.estimate->low ? fmt::format(" ({})", interval_text(metric)) : "";
      const std::string note = part_note(aggregate, set);
      const std::string name = metric.name == "suite_score" ? "" : visible_line(metric.name) + " ";
      lines += wrap(fmt::format("{}, {}: {}{}{}, {}{}{}", visible_line(aggregate.name),
                                visible_line(aggregate.model), name, value_text(metric), interval,
                                aggregate.rule, note.empty() ? "" : ", ", note),
                    width, 2) +
               "\n";
    }
  }
  if (!lines.empty()) out << '\n' << lines;
}

// Where a run asks each case in several forms: "nl2kql:robust, m: worst 1.0 % (0.0 .. 2.0), .., of 200
// cases".
void write_forms(const ReportSet& set, std::size_t width, std::ostream& out) {
  std::string lines;
  for (const Report& report : set.reports) {
    std::string figures;
    std::size_t cases = 0;
    for (const Metric& metric : report.metrics) {
      const bool over_cases = metric.reduction == Reduction::kWorst || metric.reduction == Reduction::kFlips;
      if (!over_cases || !metric.estimate) continue;
      figures += fmt::format("{} {} ({}), ", metric.name, value_text(metric), interval_text(metric));
      cases = metric.estimate->n;
    }
    if (figures.empty()) continue;
    const std::string who = visible_line(report.spec.task + ", " + report.spec.model.name);
    lines += wrap(fmt::format("{}: {}of {} cases", who, figures, cases), width, 2) + "\n";
  }
  if (!lines.empty()) out << '\n' << lines;
}

// What a score must be held against, once a task: "nothing known gets up to: cmdgen 3.0, infrawise 20.0 %".
void write_floors(const ReportSet& set, std::size_t width, std::ostream& out) {
  std::string text;
  std::set<std::string> tasks;
  for (const Report& report : set.reports) {
    const Metric* primary = primary_of(report);
    if (primary == nullptr || !primary->floor || !tasks.insert(report.spec.task).second) continue;
    text += fmt::format("{} {} {}", text.empty() ? "" : ",", visible_line(report.spec.task),
                        format_value(*primary->floor, primary->unit));
  }
  if (!text.empty()) out << '\n' << wrap("a model that knows nothing gets at most:" + text, width, 2) << '\n';
}

// A bar a group, from 0 to the highest of them; a blank where a group has no value.
std::string spark_line(const std::vector<const Metric*>& metrics, double highest) {
  constexpr std::array<const char*, 8> kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string line;
  for (const Metric* metric : metrics) {
    const double share = metric->estimate && highest > 0 ? metric->estimate->value / highest : 0;
    line += metric->estimate ? kBars[static_cast<std::size_t>(std::lround(7 * std::clamp(share, 0.0, 1.0)))]
                             : " ";
  }
  return line;
}

// Where is it bad, at a glance: a line a run and breakdown, "difficulty  ▇▅▂▁  1 .. 4".
void write_sparks(const ReportSet& set, std::size_t width, std::ostream& out) {
  constexpr std::size_t kMostLines = 16, kMostGroups = 24;
  std::vector<Column> columns = {{"task", Align::kLeft, {}},   {"model", Align::kLeft, {}},
                                 {"by", Align::kLeft, {}},     {"from 0 to", Align::kDecimal, {}},
                                 {"groups", Align::kLeft, {}}, {"first .. last", Align::kLeft, {}}};
  for (const Report& report : set.reports) {
    for (const std::string& by : report.spec.breakdowns) {
      std::vector<const Metric*> metrics;
      std::vector<std::string> keys;
      double highest = 0;
      for (const Group& group : report.groups) {
        if (group.by != by || group.metrics.empty() || group.metrics.front().unit != "fraction") continue;
        metrics.push_back(&group.metrics.front());
        keys.push_back(visible_line(group.key));
        if (metrics.back()->estimate) highest = std::max(highest, metrics.back()->estimate->value);
      }
      if (keys.size() < 2 || keys.size() > kMostGroups || columns[0].cells.size() == kMostLines) continue;
      const std::vector<std::string> cells = {visible_line(report.spec.task),
                                              visible_line(report.spec.model.name),
                                              visible_line(by),
                                              format_percent(highest),
                                              spark_line(metrics, highest),
                                              keys.front() + " .. " + keys.back()};
      for (std::size_t i = 0; i < cells.size(); ++i) columns[i].cells.push_back(cells[i]);
    }
  }
  if (columns[0].cells.empty()) return;
  out << '\n';
  for (const std::string& line : lay_out(columns, width, columns.size() - 1).lines) out << line << '\n';
}

void write_published(const ReportSet& set, std::size_t width, std::ostream& out) {
  std::set<std::string> tasks;
  std::vector<Column> columns = {{"task", Align::kLeft, {}},
                                 {"metric", Align::kLeft, {}},
                                 {"model", Align::kLeft, {}},
                                 {"value", Align::kDecimal, {}}};
  for (const Report& report : set.reports) {
    if (!tasks.insert(report.spec.task).second) continue;
    for (const Published& p : report.published) {
      columns[0].cells.push_back(
          visible_line(p.group.empty() ? report.spec.task : report.spec.task + ", " + p.group));
      columns[1].cells.push_back(visible_line(p.metric));
      columns[2].cells.push_back(visible_line(p.model));
      columns[3].cells.push_back(format_percent(p.value));
    }
  }
  if (columns[0].cells.empty()) return;
  out << '\n' << kPublishedHeading << '\n';
  for (const std::string& line : lay_out(columns, width, columns.size()).lines) out << line << '\n';
  out << wrap(std::string(kPublishedSentence), width, 0) << '\n';
}

class TextWriter final : public ReportWriter {
 public:
  explicit TextWriter(const ReportStyle& style) : style_(style) {}
  std::string_view format() const override { return "text"; }

  void write(const ReportSet& set, std::ostream& out) const override {
    const std::vector<Row> rows = rows_of(set, style_);
    const bool executed = !set.reports.empty() && set.reports.front().execution.has_value();
    const std::size_t up_to_interval = executed ? 7 : 6;
    const auto [lines, left_out] = lay_out(columns_of(rows, executed), style_.width, up_to_interval);
    out << lines.front() << '\n';
    for (std::size_t i = 0; i < rows.size(); ++i)
      out << (style_.colour ? coloured(lines[i + 1], rows[i].state) : lines[i + 1]) << '\n';
    if (!left_out.empty()) {
      const std::string note =
          fmt::format("left out at {} columns: {}; a wider terminal or --format json has them", style_.width,
                      join(left_out, ", "));
      out << '\n' << wrap(note, style_.width, 2) << '\n';
    }
    if (style_.groups) write_sparks(set, style_.width, out);
    write_aggregates(set, style_.width, out);
    write_forms(set, style_.width, out);
    write_floors(set, style_.width, out);
    for (const std::string& line : {work_text(work_of(set)), cost_text(set)})
      if (!line.empty()) out << '\n' << wrap(line, style_.width, 2) << '\n';
    write_notes(set, out);
    write_published(set, style_.width, out);
  }

 private:
  // A note that several runs have stands once: "run 3, run 4 and 55 more: ..".
  void write_notes(const ReportSet& set, std::ostream& out) const {
    constexpr std::size_t kNamed = 3;
    std::vector<std::pair<std::string, std::vector<std::string>>> notes;
    for (const Report& report : set.reports) {
      const std::string name = report.execution
                                   ? fmt::format("run {}", static_cast<std::int64_t>(report.execution->id))
                                   : visible_line(report.spec.task + ", " + report.spec.model.name);
      for (const std::string& note : notes_of(report, style_.places)) {
        auto it = std::find_if(notes.begin(), notes.end(), [&](const auto& n) { return n.first == note; });
        if (it == notes.end()) it = notes.insert(it, {note, {}});
        it->second.push_back(name);
      }
    }
    if (!notes.empty()) out << '\n';
    for (auto& [note, names] : notes) {
      const std::size_t more = names.size() > kNamed ? names.size() - kNamed : 0;
      names.resize(names.size() - more);
      out << wrap(fmt::format("{}{}: {}", join(names, ", "),
                              more > 0 ? fmt::format(" and {} more", more) : "", visible_line(note)),
                  style_.width, 2)
          << '\n';
    }
  }

  ReportStyle style_;
};

}  // namespace

std::unique_ptr<ReportWriter> make_text_writer(const ReportStyle& style) {
  return std::make_unique<TextWriter>(style);
}

}  // namespace micius
