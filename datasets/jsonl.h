// JSON lines: one object a line, UTF-8, a line ends at LF only.
#pragma once

#include <memory>

#include "core/dataset.h"
#include "core/spec.h"
#include "datasets/rows.h"
#include "datasets/source_file.h"

namespace micius {

// A line of blanks is not a row. Rows are parsed when asked for; the file stays mapped. With "only"
// (RowFilter) a row's number is that among the rows kept, and a line that plainly has another value is not
// looked at.
//
// Params "beside", {"path": "test.jsonl", "field": "of"}: this file's rows say by the id in `of` which row of
// that file they are another form of. That row comes before the first that names it, and the content hash is
// over both files. Throws Error{kInvalidData} for an id that is not there.
std::unique_ptr<Dataset> open_jsonl(const Spec& spec, const DataRoots& roots, SourceFiles& files);
// The rows alone, of the file that "path" names.
std::unique_ptr<Rows> open_jsonl_rows(const Spec& spec, const DataRoots& roots, SourceFiles& files);

}  // namespace micius
