// Runs that come from files.
#pragma once

#include <string>
#include <vector>

#include "store/sql_store.h"

namespace micius {

// The runs of the files, in order: all of them are in the store afterwards, or nothing is new where this
// throws. Errors say what to do next.
std::vector<ImportedRun> import_files(SqlStore& store, const std::vector<std::string>& paths);

// The same of another database's runs.
std::vector<ImportedRun> import_runs(SqlStore& store, const Store& from, const std::vector<RunId>& runs);

// What `--baseline` names: a baseline of the store, else an export, which is imported.
std::vector<RunId> baseline_runs(SqlStore& store, const std::string& name_or_file);

}  // namespace micius
