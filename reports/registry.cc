#include "reports/registry.h"

namespace micius {

// The makers, one a file.
std::unique_ptr<ReportWriter> make_text_writer(const ReportStyle&);
std::unique_ptr<ReportWriter> make_markdown_writer(const ReportStyle&);
std::unique_ptr<ReportWriter> make_json_writer(const ReportStyle&);
std::unique_ptr<ReportWriter> make_csv_writer(const ReportStyle&);
std::unique_ptr<ReportWriter> make_html_writer(const ReportStyle&);
std::unique_ptr<ReportWriter> make_junit_writer(const ReportStyle&);
std::unique_ptr<ReportWriter> make_latex_writer(const ReportStyle&);

Registry<ReportWriterFactory> report_registry() {
  return {"report",
          {{"text", "A table for the terminal", make_text_writer},
           {"md", "Markdown for a pull request", make_markdown_writer},
           {"json", "Everything, for programs", make_json_writer},
           {"csv", "One row a run, metric and group", make_csv_writer},
           {"html", "One page with every sample, to read in a browser", make_html_writer},
           {"junit", "JUnit XML for CI: a suite a run, with --samples a case a sample", make_junit_writer},
           {"latex", "A booktabs table of models by tasks, the best in bold where that is significant",
            make_latex_writer}}};
}

}  // namespace micius
