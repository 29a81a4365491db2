// One function a format, for the registry.
#pragma once

#include <memory>

#include "core/report_writer.h"

namespace micius {

std::unique_ptr<ReportWriter> make_text_writer(const ReportStyle& style);
std::unique_ptr<ReportWriter> make_markdown_writer(const ReportStyle& style);
std::unique_ptr<ReportWriter> make_json_writer(const ReportStyle& style);
std::unique_ptr<ReportWriter> make_csv_writer(const ReportStyle& style);
std::unique_ptr<ReportWriter> make_html_writer(const ReportStyle& style);

}  // namespace micius
