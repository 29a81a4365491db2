#include "cli/imports.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "pipeline/summarize.h"
#include "store/run_file.h"

namespace micius {
namespace {

std::vector<ImportedRun> import_filled(SqlStore& store, const std::function<void(RunSink&)>& fill) {
  return store.take_runs(fill, [&](RunId run) -> std::optional<Estimate> {
    if (store.run(run).status != RunStatus::kComplete) return std::nullopt;
    return primary_estimate(store, run);
  });
}

}  // namespace

std::vector<ImportedRun> import_files(SqlStore& store, const std::vector<std::string>& paths) {
  try {
    return import_filled(store, [&](RunSink& sink) {
      for (const std::string& path : paths) read_run_file(path, sink);
    });
  } catch (const Error& error) {  // the readers of fields do not know what becomes of the rest
    if (error.code() != ErrorCode::kInvalidData) throw;
    fail(error.code(), "{}; nothing was imported: get the file again, or make it anew with `micius export`",
         error.what());
  }
}

std::vector<ImportedRun> import_runs(SqlStore& store, const Store& from, const std::vector<RunId>& runs) {
  return import_filled(store, [&](RunSink& sink) {
    for (const RunId run : runs) read_run(from, run, sink);
  });
}

std::vector<RunId> baseline_runs(SqlStore& store, const std::string& name_or_file) {
  const std::vector<std::string> names = store.baselines();
  const bool is_name = std::find(names.begin(), names.end(), name_or_file) != names.end();
  const std::filesystem::path path = name_or_file;
  const bool is_file = path.has_parent_path() || path.has_extension() || std::filesystem::exists(path);
  if (is_name || !is_file) return store.baseline(name_or_file);
  std::vector<RunId> runs;
  for (const ImportedRun& run : import_files(store, {name_or_file})) runs.push_back(run.id);
  return runs;
}

}  // namespace micius
