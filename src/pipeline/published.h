// Numbers from the literature, printed beside ours and never computed with.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/report.h"

namespace micius {

// One row of a published table: what each model reached on one metric of one task.
struct PublishedRow {
  std::string source, note, task;
  std::string group;  // the part of the task, or ""
  std::string metric;
  std::vector<std::pair<std::string, double>> values;  // model, fraction
};

// Reads {"source", "note", "rows": [{"task", "group"?, "metric", "values": {"GPT-4": 0.187}}]}.
// Throws Error{kNotFound, kInvalidData} with file and row.
std::vector<PublishedRow> read_published(const std::filesystem::path& path);

// The rows of a task; those of `nl2kql` are those of its modes (`nl2kql:none`) too.
std::vector<Published> published_for(const std::vector<PublishedRow>& rows, const std::string& task);

}  // namespace micius
