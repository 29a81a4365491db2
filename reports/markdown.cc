#include <memory>
#include <set>

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "core/report_writer.h"
#include "reports/comparison.h"
#include "reports/grid_internal.h"
#include "reports/layout_internal.h"
#include "reports/markdown_internal.h"

namespace micius {

std::string markdown_prose(std::string_view text) {
  return replace_all(replace_all(visible_line(text), "&", "&amp;"), "<", "&lt;");
}

std::string markdown_cell(std::string_view text) {
  std::string result;
  for (const char c : markdown_prose(text)) {
    if (std::string_view("\\`*[]|!~").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

namespace {

std::string metric_cells(const Metric& metric) {
  const std::string n = metric.estimate ? fmt::format("{}", metric.estimate->n) : "-";
  return fmt::format("{} | {} | {} | {}", markdown_cell(metric.name), value_text(metric),
                     interval_text(metric), n);
}

void write_runs(const ReportSet& set, std::ostream& out) {
  out << "| task | model | primary | value | 95 % interval | n | floor / ceiling | failed | no answer | "
         "tokens in / out |\n"
         "|---|---|---|--:|:-:|--:|--:|--:|--:|--:|\n";
  for (const Report& report : set.reports) {
    const Metric* primary = primary_of(report);
    out << fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} / {} |\n", markdown_cell(report.spec.task),
        markdown_cell(model_text(report.spec.model)), primary ? metric_cells(*primary) : "- | - | - | -",
        primary ? reach_text(*primary) : "-", report.counts.failed, report.counts.no_answer,
        format_count(report.usage.prompt_tokens), format_count(report.usage.completion_tokens));
  }
}

void write_aggregates(const ReportSet& set, std::ostream& out) {
  for (const Aggregate& aggregate : set.aggregates)
    for (const Metric& metric : aggregate.metrics)
      out << fmt::format("| **{}** | {} | {} |  |  |  |  |\n", markdown_cell(aggregate.name),
                         markdown_cell(aggregate.model), metric_cells(metric));
}

std::string name_of(const Report& report) {
  return markdown_cell(report.spec.task) + ", " + markdown_cell(model_text(report.spec.model));
}

void write_metrics(const Report& report, std::ostream& out) {
  if (report.metrics.size() < 2) return;
  out << fmt::format("\n<details><summary>All metrics: {}</summary>\n\n", name_of(report))
      << "| metric | value | 95 % interval | n |\n|---|--:|:-:|--:|\n";
  for (const Metric& metric : report.metrics) out << "| " << metric_cells(metric) << " |\n";
  out << "\n</details>\n";
}

void write_wrong(const Report& report, std::ostream& out) {
  if (report.wrong.reasons.empty()) return;
  out << fmt::format("\n<details><summary>What was wrong: {}</summary>\n\n", name_of(report))
      << fmt::format("| reason | of {} |\n|---|--:|\n", report.wrong.n);
  for (const WrongReason& reason : report.wrong.reasons)
    out << fmt::format("| {} | {} |\n", markdown_cell(reason.words), reason.n);
  out << "\n</details>\n";
}

void write_groups(const Report& report, std::ostream& out) {
  if (report.groups.empty()) return;
  out << fmt::format("\n<details><summary>Groups: {}</summary>\n\n", name_of(report))
      << "| by | group | metric | value | 95 % interval | n |\n|---|---|---|--:|:-:|--:|\n";
  for (const Group& group : report.groups)
    if (!group.metrics.empty())
      out << fmt::format("| {} | {} | {} |\n", markdown_cell(group.by), markdown_cell(group.key),
                         metric_cells(group.metrics.front()));
  out << "\n</details>\n";
}

void write_notes(const ReportSet& set, std::ostream& out) {
  std::string notes;
  for (const Aggregate& aggregate : set.aggregates)
    if (const std::string note = part_note(aggregate, set); !note.empty())
      notes += fmt::format("- {}, {}: {}.\n", markdown_cell(aggregate.name), markdown_cell(aggregate.model),
                           markdown_prose(note));
  for (const Report& report : set.reports)
    for (const std::string& note : notes_of(report))
      notes += fmt::format("- {}: {}\n", name_of(report), markdown_prose(note));
  if (!notes.empty()) out << '\n' << notes;
}

void write_published(const ReportSet& set, std::ostream& out) {
  std::string rows;
  std::set<std::string> tasks;
  for (const Report& report : set.reports) {
    if (!tasks.insert(report.spec.task).second) continue;
    for (const Published& p : report.published)
      rows +=
          fmt::format("| {} | {} | {} | {} | {} |\n", markdown_cell(report.spec.task), markdown_cell(p.group),
                      markdown_cell(p.metric), markdown_cell(p.model), format_percent(p.value));
  }
  if (rows.empty()) return;
  out << fmt::format("\n<details><summary>{}</summary>\n\n{}\n\n", kPublishedHeading, kPublishedSentence)
      << "| task | part | metric | model | value |\n|---|---|---|---|--:|\n"
      << rows << "\n</details>\n";
}

// For a pull request: the verdict first, one table, the rest folded.
class MarkdownWriter final : public ReportWriter {
 public:
  explicit MarkdownWriter(const ReportStyle& style) : groups_(style.groups) {}
  std::string_view format() const override { return "md"; }

  void write(const ReportSet& set, std::ostream& out) const override {
    out << "**" << verdict_line(set) << "**\n\n";
    write_runs(set, out);
    write_aggregates(set, out);
    for (const std::string& line : {work_text(work_of(set)), cost_text(set)})
      if (!line.empty()) out << '\n' << markdown_prose(line) << ".\n";
    write_notes(set, out);
    if (!set.comparisons.comparisons.empty()) {
      out << "\n### Head to head\n\n";
      ComparisonStyle style;
      style.within = ComparisonStyle::Within::kReport;
      write_comparison_markdown(named_comparisons(Grid(set)), style, out);
    }
    for (const Report& report : set.reports) {
      write_metrics(report, out);
      write_wrong(report, out);
      if (groups_) write_groups(report, out);
    }
    write_published(set, out);
  }

 private:
  bool groups_;
};

}  // namespace

std::unique_ptr<ReportWriter> make_markdown_writer(const ReportStyle& style) {
  return std::make_unique<MarkdownWriter>(style);
}

}  // namespace micius
