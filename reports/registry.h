// Every report format, by name.
#pragma once

#include <functional>
#include <memory>

#include "core/registry.h"
#include "core/report_writer.h"

namespace micius {

using ReportWriterFactory = std::function<std::unique_ptr<ReportWriter>(const ReportStyle&)>;

Registry<ReportWriterFactory> report_registry();

}  // namespace micius
