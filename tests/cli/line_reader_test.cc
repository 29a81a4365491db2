#include "cli/line_reader.h"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "base/error.h"

namespace micius {
namespace {

class Pipe {
 public:
  Pipe() { REQUIRE(::pipe(fds_) == 0); }
  ~Pipe() {
    close_writer();
    ::close(fds_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const { return fds_[0]; }
  void write(std::string_view text) const {
    REQUIRE(::write(fds_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void close_writer() {
    if (fds_[1] >= 0) ::close(fds_[1]);
    fds_[1] = -1;
  }

 private:
  int fds_[2] = {-1, -1};
};

using Wait = LineReader::Wait;

TEST_CASE("Lines come as they are there, and nothing is waited for", "[line_reader]") {
  Pipe pipe;
  {
    LineReader reader(pipe.reader());
    CHECK_FALSE(reader.next(Wait::kNo));
    pipe.write("a\n\nhal");
    CHECK(reader.next(Wait::kYes) == "a");
    CHECK(reader.next(Wait::kNo) == "");
    CHECK_FALSE(reader.next(Wait::kNo));
    pipe.write("f\r\nlast");
    CHECK(reader.next(Wait::kYes) == "half\r");
    CHECK_FALSE(reader.next(Wait::kNo));
    pipe.close_writer();
    CHECK(reader.next(Wait::kNo) == "last");
    CHECK_FALSE(reader.next(Wait::kYes));
  }
  Pipe open;  // whose writer never ends: a reader that goes does not wait for it
  LineReader reader(open.reader());
  open.write("a");
  CHECK_FALSE(reader.next(Wait::kNo));
}

TEST_CASE("A line may be longer than a buffer, an input that cannot be read is an error", "[line_reader]") {
  Pipe pipe;
  LineReader reader(pipe.reader());
  const std::string part(50000, 'x');
  for (int i = 0; i < 5; ++i) {
    pipe.write(part);
    CHECK_FALSE(reader.next(Wait::kNo));
  }
  pipe.write("\ny\n");
  CHECK(reader.next(Wait::kYes)->size() == 250000);
  CHECK(reader.next(Wait::kYes) == "y");
  const int closed = ::dup(pipe.reader());
  ::close(closed);
  LineReader none(closed);
  CHECK_THROWS_AS(none.next(Wait::kNo), Error);
}

}  // namespace
}  // namespace micius
