#include "base/frames.h"

#include <string>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <unistd.h>

namespace micius {
namespace {

struct SocketPair {
  SocketPair() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0); }
  ~SocketPair() {
    close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
  }
  void hang_up() {
    close(ends[1]);
    ends[1] = -1;
  }
  int ends[2];
};

}  // namespace

TEST_CASE("frames come as they were sent") {
  SocketPair pair;
  const std::string bytes("a\0b\n\xff", 5);
  REQUIRE(write_frame(pair.ends[1], bytes));
  REQUIRE(write_frame(pair.ends[1], ""));
  REQUIRE(write_frame(pair.ends[1], std::string(100'000, 'x')));
  CHECK(read_frame(pair.ends[0], 5) == bytes);
  CHECK(read_frame(pair.ends[0], 0) == "");
  CHECK(read_frame(pair.ends[0], 1 << 20) == std::string(100'000, 'x'));
  pair.hang_up();
  CHECK(read_frame(pair.ends[0], 5) == std::nullopt);
  CHECK_FALSE(write_frame(pair.ends[0], "nobody reads this"));
}

TEST_CASE("a frame that is too long or cut is none") {
  SocketPair pair;
  REQUIRE(write_frame(pair.ends[1], "123456"));
  CHECK(read_frame(pair.ends[0], 5) == std::nullopt);

  SocketPair cut;
  REQUIRE(send(cut.ends[1],
               "\xff\xff\xff\x7f"
               "abc",
               7, 0) == 7);
  cut.hang_up();
  CHECK(read_frame(cut.ends[0], SIZE_MAX) == std::nullopt);
}

}  // namespace micius
