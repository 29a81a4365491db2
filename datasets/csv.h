// CSV (RFC 4180): a header line, quotes, LF or CRLF, UTF-8 with or without a byte order mark.
#pragma once

#include <memory>

#include "core/dataset.h"
#include "core/spec.h"
#include "datasets/source_file.h"

namespace micius {

// A row is an object of strings under the header's names; it has as many cells as the header. An empty line
// is not a row. Rows are parsed when asked for; the file stays mapped.
std::unique_ptr<Dataset> open_csv(const Spec& spec, const DataRoots& roots, SourceFiles& files);

}  // namespace micius
