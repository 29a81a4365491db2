#include "reports/registry.h"

#include "reports/writers_internal.h"

namespace micius {

Registry<ReportWriterFactory> report_registry() {
  return {"report",
          {{"text", "A table for the terminal", make_text_writer},
           {"md", "Markdown for a pull request", make_markdown_writer},
           {"json", "Everything, for programs", make_json_writer},
           {"csv", "One row a run, metric and group", make_csv_writer},
           {"html", "One page with every sample, to read in a browser", make_html_writer}}};
}

}  // namespace micius
