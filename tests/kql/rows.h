// Rows of the vectors and of our own files.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "shared_files.h"
#include "source_tree.h"

namespace micius::kql {

// Calls fn with each row of `file`. Gives how many were left out: a query that was cut inside a character has
// half of a pair in JSON, which is no text in UTF-8.
inline std::size_t for_each_row(const std::filesystem::path& file,
                                const std::function<void(const Json&)>& fn) {
  std::size_t left_out = 0;
  for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
    Json row;
    try {
      row = parse_json(line, file.filename().string());
    } catch (const Error&) {
      ++left_out;
      return;
    }
    INFO(file.string() << ":" << number);
    fn(row);
  });
  return left_out;
}

// The vectors' folder, or nothing and a word why.
inline std::filesystem::path kql_vectors() {
  const std::filesystem::path folder = vector_folder() / "kql";
  if (std::filesystem::exists(folder / "syntax.jsonl")) return folder;
  WARN("skipped: no " << (folder / "syntax.jsonl").string());
  return {};
}

inline std::filesystem::path own_rows(const std::string& name) {
  return source_tree() / "tests" / "kql" / name;
}

}  // namespace micius::kql
