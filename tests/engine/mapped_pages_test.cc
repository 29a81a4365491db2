#include "engine/mapped_pages.h"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

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

TEST_CASE("the memory of a map's part is given back, and its bytes are found again") {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const TempDir folder;
  const auto path = folder.path() / "file";
  std::ofstream(path) << std::string(8 * page, 'x');
  const MappedFile file(path);
  const auto sum = [&] {
    std::size_t count = 0;
    for (const std::byte byte : file.bytes()) count += byte == std::byte{'x'};
    return count;
  };
  CHECK(sum() == 8 * page);
  CHECK(pages_in_memory(file, page) == 8);
  release_pages(file.bytes(), file.bytes().subspan(page / 2, 4 * page));  // three whole pages of it
  CHECK(pages_in_memory(file, page) == 5);
  CHECK(sum() == 8 * page);
}

TEST_CASE("what is not of the map is left alone") {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const TempDir folder;
  const auto path = folder.path() / "file";
  std::ofstream(path) << std::string(page, 'x');
  const MappedFile file(path);
  const std::vector<std::byte> own(64 * page, std::byte{7});
  release_pages(file.bytes(), own);
  CHECK(own == std::vector<std::byte>(64 * page, std::byte{7}));
}

}  // namespace micius
