// One JSON document that holds a list of objects.
#pragma once

#include <memory>

#include "core/dataset.h"
#include "core/spec.h"
#include "datasets/source_file.h"

namespace micius {

// Param "at": the dotted path of the list ("navigate.cot_samples"); the document itself where it is not
// given. Param "only" as of JSON lines. The whole document is parsed once and kept.
std::unique_ptr<Dataset> open_json_list(const Spec& spec, const DataRoots& roots, SourceFiles& files);

}  // namespace micius
