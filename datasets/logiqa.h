// LogiQA in the form of its authors (lgw863/LogiQA-dataset, Test.txt).
#pragma once

#include <memory>

#include "core/dataset.h"
#include "core/spec.h"
#include "datasets/source_file.h"

namespace micius {

// Records have a blank line between them; a record is the letter of the right option, the passage, the
// question, and the options, each behind its letter and a stop ("A."). A row has the fields label, context,
// question and options, as the loader of EleutherAI/logiqa makes them: a blank is put behind each full stop,
// and an option counts by its place, whatever its letter.
std::unique_ptr<Dataset> open_logiqa(const Spec& spec, const DataRoots& roots, SourceFiles& files);

}  // namespace micius
