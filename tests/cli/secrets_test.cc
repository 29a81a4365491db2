#include "cli/secrets.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/program.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

fs::path key_file(const TempDir& folder, const std::string& text, mode_t mode = 0600) {
  fs::path path = folder.path() / "key";
  std::ofstream(path, std::ios::binary) << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  return path;
}

}  // namespace

TEST_CASE("a key is read from a file of one's own") {
  const TempDir folder;
  CHECK(read_key_file(key_file(folder, "sk-planted-1\n")) == "sk-planted-1");
  CHECK(read_key_file(key_file(folder, "  sk-planted-1 \r\n", 0400)) == "sk-planted-1");
}

TEST_CASE("a key file that others may use is refused with the chmod to type") {
  const TempDir folder;
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666}) {
    const fs::path path = key_file(folder, "sk-planted-1\n", mode);
    CHECK_THROWS_WITH(read_key_file(path), Contains("chmod 600 " + path.string()) && !Contains("planted"));
  }
}

TEST_CASE("a key file that is none is refused, and nothing of it is said") {
  const TempDir folder;
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("sk-planted-1\nsk-planted-2\n"),
        std::string("sk planted"), std::string("sk-pl\0anted", 11), std::string(1 << 20, 'k'),
        std::string("planted\xff")}) {
    CHECK_THROWS_WITH(read_key_file(key_file(folder, text)), Contains("key") && !Contains("planted"));
  }
  CHECK_THROWS_AS(read_key_file(folder.path() / "none"), Error);
  CHECK_THROWS_WITH(read_key_file(folder.path()), Contains("regular file"));
}

TEST_CASE("a key comes from its variable or from the file that another names, not from both") {
  const TempDir folder;
  const fs::path path = key_file(folder, "sk-planted-1\n");
  CHECK(secret_from("MICIUS_TEST_KEY").empty());
  ::setenv("MICIUS_TEST_KEY_FILE", path.c_str(), 1);
  CHECK(secret_from("MICIUS_TEST_KEY") == "sk-planted-1");
  ::setenv("MICIUS_TEST_KEY", "sk-planted-2", 1);
  CHECK_THROWS_WITH(secret_from("MICIUS_TEST_KEY"), Contains("both") && !Contains("planted"));
  ::unsetenv("MICIUS_TEST_KEY_FILE");
  CHECK(secret_from("MICIUS_TEST_KEY") == "sk-planted-2");
  ::unsetenv("MICIUS_TEST_KEY");
}

TEST_CASE("a process with a key leaves no core dump") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    forbid_dumps();
    rlimit limit{1, 1};
    const bool is_closed = ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 &&
                           limit.rlim_max == 0 && ::prctl(PR_GET_DUMPABLE) == 0;
    ::_exit(is_closed ? 0 : 1);
  }
  int status = 1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace micius
