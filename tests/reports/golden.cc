#include "reports/golden.h"

#include <cstdlib>
#include <filesystem>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "source_tree.h"

namespace micius {

void check_golden(const std::string& name, const std::string& text) {
  const std::filesystem::path path = source_tree() / "tests/golden" / name;
  if (std::getenv("MICIUS_UPDATE_GOLDEN") != nullptr) write_file_atomic(path, text);
  REQUIRE(std::filesystem::exists(path));
  CHECK(text == read_file(path));
}

}  // namespace micius
