#include "engine/mapped_pages.h"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "base/files.h"
#include "temp_dir.h"

namespace micius {
namespace {

std::size_t pages_in_memory(const MappedFile& file, std::size_t page) {
  std::size_t pages = 0;
  std::ifstream smaps("/proc/self/smaps");
  std::string line, wanted;
  bool is_here = false;
  while (std::getline(smaps, line)) {
    const auto at = static_cast<std::uintptr_t>(std::strtoull(line.c_str(), nullptr, 16));
    if (line.find('-') < line.find(' '))
      is_here = at == reinterpret_cast<std::uintptr_t>(file.bytes().data());
    if (is_here && line.starts_with("Rss:")) pages = std::stoul(line.substr(4)) * 1024 / page;
  }
  return pages;
}

}  // namespace

TEST_CASE("the memory of a map is given back, and its bytes are found again") {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const TempDir folder;
  const auto path = folder.path() / "file";
  std::ofstream(path) << std::string(7 * page + 1, 'x');
  const MappedFile file(path);
  const auto sum = [&] {
    std::size_t count = 0;
    for (const std::byte byte : file.bytes()) count += byte == std::byte{'x'};
    return count;
  };
  CHECK(sum() == 7 * page + 1);
  CHECK(pages_in_memory(file, page) == 8);
  release_pages(file.bytes());
  CHECK(pages_in_memory(file, page) == 0);
  CHECK(sum() == 7 * page + 1);
}

}  // namespace micius
