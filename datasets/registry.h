// Every dataset format, by loader name.
#pragma once

#include <functional>
#include <memory>

#include "core/dataset.h"
#include "core/registry.h"
#include "core/spec.h"

namespace micius {

// Opens the dataset that `spec` names. spec.params: "path" (below a root, or absolute), "root" ("data", the
// default, or "share"), and which fields are what: "id", "input", "choices", "targets" (dotted paths into a
// row). Throws Error{kNotFound} with the command that gets the data, Error{kInvalidData} with file, line and
// field.
using DatasetFactory = std::function<std::unique_ptr<Dataset>(const Spec& spec, const DataRoots& roots)>;

// The datasets that one registry's factories open share their files.
Registry<DatasetFactory> dataset_registry();

}  // namespace micius
