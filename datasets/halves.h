// Texts cut in two: what a model that has them by heart goes on with.
#pragma once

#include <memory>

#include "core/dataset.h"
#include "core/spec.h"
#include "datasets/source_file.h"

namespace micius {

// Params: "path", a file whose whole text is the first row; "texts", files of JSON lines beside it as
// {"path", "field"}; "count", how many of their rows, spread evenly over all of them; "root" as of every
// loader. A sample's input is the first half of the words, its one target the others; its id is the row's
// `id`, and `group` of its extra the folder of its file; both are the file's name for the first row. A text
// of one word is left out. Throws Error{kNotFound, kInvalidData} naming file, line and field.
std::unique_ptr<Dataset> open_halves(const Spec& spec, const DataRoots& roots, SourceFiles& files);

}  // namespace micius
