// JSON lines: one object a line, UTF-8, a line ends at LF only.
#pragma once

#include <memory>

#include "core/dataset.h"
#include "core/spec.h"

namespace micius {

// A line of blanks is not a row. Rows are parsed when asked for; the file stays mapped.
std::unique_ptr<Dataset> open_jsonl(const Spec& spec, const DataRoots& roots);

}  // namespace micius
