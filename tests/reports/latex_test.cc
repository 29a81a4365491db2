#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "reports/example_reports.h"
#include "reports/latex_table.h"
#include "reports/registry.h"
#include "temp_dir.h"

namespace micius {
namespace {

std::string latex_of(const ReportSet& set) {
  std::ostringstream out;
  report_registry().get("latex")({})->write(set, out);
  return out.str();
}

// The example with a model whose name is all that LaTeX takes for markup.
constexpr const char* kName = R"([x]*a--b \{}$&#_%^~<>|`'" y)";

ReportSet named_example() {
  ReportSet set = example_reports();
  set.reports[1].spec.model = {kName, "engine", "", ""};
  set.reports[1].spec.task = set.reports[0].spec.task = "infra_wise & 100%";
  return set;
}

Comparison won_by_first() {
  Comparison c = example_reports().comparisons.comparisons.front();
  std::swap(c.a.place, c.b.place);
  c.finding = Finding::kABetter;
  return c;
}

}  // namespace

TEST_CASE("every special character comes through a LaTeX table as it is") {
  const auto tables = read_latex(latex_of(named_example()));
  REQUIRE(tables.size() == 1);
  CHECK(tables[0].rows[0][1].text == "infra_wise & 100%");
  CHECK(tables[0].rows[3][0].text == R"([x]*a--b \{}$&#_%^~<>|`''' y)");  // a quote is two strokes
}

TEST_CASE("the best is bold only where it is better than every other") {
  ReportSet set = example_reports();
  const auto is_bold = [&] { return read_latex(latex_of(set))[0].rows[3][1].is_bold; };
  CHECK_FALSE(is_bold());  // no difference was shown
  set.comparisons.comparisons = {won_by_first()};
  CHECK(is_bold());
  CHECK_FALSE(read_latex(latex_of(set))[0].rows[2][1].is_bold);
  set.comparisons.comparisons[0].forced = {"task version 1 against 2"};
  CHECK_FALSE(is_bold());
  set.comparisons.comparisons[0].forced.clear();
  set.reports[2].spec.task = "infrawise";  // a third model that it was not held against
  CHECK_FALSE(is_bold());
}

TEST_CASE("two metrics of a task are two columns") {
  ReportSet set = example_reports();
  const std::size_t columns = read_latex(latex_of(set))[0].columns.size();
  set.reports.push_back(set.reports[0]);
  set.reports.back().metrics.front().name = "acc_letter";
  CHECK(read_latex(latex_of(set))[0].columns.size() == columns + 1);
}

TEST_CASE("many tasks are several tables") {
  ReportSet set = example_reports();
  const Report one = set.reports[0];
  for (int i = 0; i < 7; ++i) {
    set.reports.push_back(one);
    set.reports.back().spec.task = "task_" + std::to_string(i);
  }
  const auto tables = read_latex(latex_of(set));
  REQUIRE(tables.size() == 2);
  CHECK(tables[0].columns == "lrrrrrr");
  CHECK(tables[1].columns.size() == 5);  // 7 + 2 tasks and the suite's score
}

TEST_CASE("the reader of LaTeX refuses what LaTeX would") {
  const auto table = [](const std::string& body) {
    return "\\begin{tabular}{lr}\n" + body + "\n\\end{tabular}\n";
  };
  CHECK_NOTHROW(read_latex(table("a & b \\\\")));
  for (const char* bad :
       {"a & b", "a \\\\", "a & b & c \\\\", "a_b & c \\\\", "a & {b \\\\", "a & b} \\\\", "a & \\frac \\\\",
        "a & b \\\\\n[c] & d \\\\", "a & \\textless b \\\\", "a & b|c \\\\"}) {
    INFO(bad);
    CHECK_THROWS_AS(read_latex(table(bad)), std::runtime_error);
  }
}

TEST_CASE("LaTeX compiles the table, where it is installed") {
  if (std::system("command -v pdflatex > /dev/null 2>&1") != 0) {
    WARN("no pdflatex here: the reader alone has checked the table");
    return;
  }
  const TempDir dir;
  write_file_atomic(dir.path() / "t.tex",
                    "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n" +
                        latex_of(named_example()) + "\\end{document}\n");
  const std::string command = "cd '" + dir.path().string() +
                              "' && pdflatex -interaction=nonstopmode -halt-on-error t.tex > /dev/null";
  CHECK(std::system(command.c_str()) == 0);
}

}  // namespace micius
