// The cases of tests/tasks/<task>.jsonl, and files of their rows as loaders read them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/files.h"
#include "base/json.h"
#include "core/spec.h"
#include "source_tree.h"
#include "tasks/registry.h"

namespace micius {

struct TaskCases {
  std::string task;
  std::vector<Json> cases;
};

// Of every task that has a file of cases, by name.
inline std::vector<TaskCases> all_task_cases() {
  std::vector<TaskCases> all;
  const auto tasks = task_registry();
  for (const auto& file : std::filesystem::directory_iterator(source_tree() / "tests/tasks")) {
    const std::string task = file.path().stem().string();
    if (file.path().extension() != ".jsonl" || tasks.find(task) == nullptr) continue;
    all.push_back({task, {}});
    for_each_line(read_file(file.path()), [&](std::string_view line, std::size_t number) {
      all.back().cases.push_back(parse_json(line, fmt::format("{}.jsonl:{}", task, number)));
    });
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.task < b.task; });
  return all;
}

// The text of a file that the loader of `spec` reads the rows from.
inline std::string file_text(const Spec& spec, Json rows) {
  if (spec.name == "json_list") {
    const std::string at = spec.params.value("at", "");
    Json document = std::move(rows);
    for (std::size_t end = at.size(); !at.empty() && end != std::string::npos;) {
      const std::size_t dot = at.rfind('.', end - 1);
      const std::size_t begin = dot == std::string::npos ? 0 : dot + 1;
      Json outer = Json::object();
      outer[at.substr(begin, end - begin)] = std::move(document);
      document = std::move(outer);
      end = dot;
    }
    return dump_json(document);
  }
  std::string text;
  for (const Json& row : rows) text += dump_json(row) + "\n";
  return text;
}

// Writes the file that `spec` names below `root` and returns its path.
inline std::filesystem::path write_rows(const Spec& spec, const Json& rows,
                                        const std::filesystem::path& root) {
  std::filesystem::path path = root / spec.params.at("path").get<std::string>();
  std::filesystem::create_directories(path.parent_path());
  write_file_atomic(path, file_text(spec, rows));
  return path;
}

}  // namespace micius
