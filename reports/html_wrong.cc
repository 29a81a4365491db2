// What was wrong: the reasons that answers of a task share, and how many of each model's have them.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "reports/html_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

struct Column {
  std::size_t report, model;
};

// What the sample browser looks for: the words before what the samples do not share; where there are none,
// the longest behind it.
std::string_view searched(std::string_view words) {
  constexpr std::string_view kOther = "…";
  const std::string_view first = strip(words.substr(0, words.find(kOther)));
  if (!first.empty()) return first;
  std::string_view longest;
  for (std::size_t begin = 0; begin < words.size();) {
    const std::size_t end = std::min(words.find(kOther, begin), words.size());
    const std::string_view run = strip(words.substr(begin, end - begin));
    if (run.size() > longest.size()) longest = run;
    begin = end + kOther.size();
  }
  return longest;
}

std::string count_cell(const Column& column, const WrongReason* reason) {
  if (reason == nullptr) return R"(<td class="num none">-</td>)";
  return fmt::format(R"(<td class="num"><a href="#samples?run={}&amp;q={}">{}</a></td>)", column.report,
                     query_text(fmt::format("reason: {}", searched(reason->words))), reason->n);
}

const WrongReason* find_reason(const Report& report, std::string_view words) {
  for (const WrongReason& reason : report.wrong.reasons)
    if (reason.words == words) return &reason;
  return nullptr;
}

}  // namespace

void write_wrong(const Grid& grid, std::size_t task, std::ostream& out) {
  std::vector<Column> columns;
  std::vector<std::string> rows;  // the models' most frequent ones, a model after the other
  for (std::size_t model = 0; model < grid.models().size(); ++model) {
    const auto report = grid.report_at(task, model);
    if (!report) continue;
    columns.push_back({*report, model});
    for (const WrongReason& reason : grid.report(*report).wrong.reasons)
      if (std::find(rows.begin(), rows.end(), reason.words) == rows.end()) rows.push_back(reason.words);
  }
  if (rows.empty()) return;
  out << "<details class=\"wrong\" open><summary>What was wrong</summary>\n<p class=\"note\">The most "
         "frequent reasons "
         "of answers that are not right, and how many have them; one may have several. “-”: few have it, or "
         "none.</p>\n"
         "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">reason</th>";
  for (const Column& column : columns)
    out << fmt::format(R"(<th class="num" scope="col">{}{} <small>of {}</small></th>)", key_svg(column.model),
                       html(grid.models()[column.model]), grid.report(column.report).wrong.n);
  out << "</tr></thead>\n<tbody>\n";
  for (const std::string& words : rows) {
    out << fmt::format(R"(<tr><th scope="row">{}</th>)", html(words));
    for (const Column& column : columns)
      out << count_cell(column, find_reason(grid.report(column.report), words));
    out << "</tr>\n";
  }
  out << "</tbody></table></div></details>\n";
}

}  // namespace micius
