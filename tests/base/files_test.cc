#include "base/files.h"

#include <csignal>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
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

TEST_CASE("a write that fails leaves nothing beside it") {
  const TempDir folder;
  const auto path = folder.path() / "a.txt";
  struct rlimit before {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const struct rlimit small = {4, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_THROWS_AS(write_file_atomic(path, "longer than the limit"), Error);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, SIG_DFL);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("what cannot be written is named as it was asked for") {
  const TempDir folder;
  CHECK_THROWS_WITH(write_file_atomic(folder.path() / "none/a.txt", "text"),
                    Catch::Contains("none/a.txt: cannot be written: No such file or directory"));
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
