#include "reports/registry.h"

namespace micius {

Registry<ReportWriterFactory> report_registry() { return {"report", {}}; }

}  // namespace micius
