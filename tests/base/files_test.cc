#include "base/files.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "temp_dir.h"

namespace micius {

TEST_CASE("a file is written whole and leaves nothing beside it") {
  const TempDir folder;
  const auto path = folder.path() / "a.txt";
  for (const std::string text : {"first", "", "the second"}) {
    write_file_atomic(path, text);
    CHECK(read_file(path) == text);
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  CHECK_THROWS_AS(read_file(folder.path() / "b.txt"), Error);
}

TEST_CASE("a pipe is written to and stays a pipe") {
  const TempDir folder;
  const auto path = folder.path() / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  write_file_atomic(path, "text");
  char bytes[16] = {};
  CHECK(::read(reader, bytes, sizeof bytes) == 4);
  CHECK(std::string(bytes) == "text");
  CHECK(std::filesystem::is_fifo(path));
  ::close(reader);
}

}  // namespace micius
