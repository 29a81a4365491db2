#include "reports/comparison.h"

namespace micius {

Registry<ComparisonFormat> comparison_registry() {
  using Style = ComparisonStyle;
  const auto text = [](const ReportSet& set, const Style& style, std::ostream& out) {
    write_comparison_text(set.comparisons, style, out);
  };
  const auto markdown = [](const ReportSet& set, const Style& style, std::ostream& out) {
    write_comparison_markdown(set.comparisons, style, out);
  };
  const auto json = [](const ReportSet& set, const Style&, std::ostream& out) {
    write_comparison_json(set.comparisons, out);
  };
  const auto html = [](const ReportSet& set, const Style&, std::ostream& out) {
    write_comparison_html(set, out);
  };
  return {"report",
          {{"text", "Sentences and tables for the terminal", {ComparisonInput::kComparisons, text}},
           {"md", "Markdown for a pull request", {ComparisonInput::kComparisons, markdown}},
           {"json", "Everything, for programs", {ComparisonInput::kComparisons, json}},
           {"html", "One page with every flip, to read in a browser", {ComparisonInput::kReports, html}}}};
}

}  // namespace micius
