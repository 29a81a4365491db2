#include "tokenizer/vectors.h"

#include <cstdlib>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/files.h"
#include "shared_files.h"

namespace micius::test {

std::filesystem::path shared_vectors(const std::string& name) {
  const std::filesystem::path file = vector_folder() / name;
  if (std::filesystem::exists(file)) return file;
  WARN("skipped: no " << file.string() << " (set MICIUS_SHARED)");
  return {};
}

void for_each_row(const std::filesystem::path& file, const std::function<void(const Json&)>& fn) {
  for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
    if (!line.empty()) fn(parse_json(line, fmt::format("{}:{}", file.string(), number)));
  });
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

}  // namespace micius::test
