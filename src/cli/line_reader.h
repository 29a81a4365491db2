// Lines of a file descriptor, taken while more may come.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace micius {

// A line ends at LF, which is left out; the last one may lack it. Reads ahead no more than one buffer, and
// only when asked. For one thread.
class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}  // borrowed

  enum class Wait { kNo, kYes };
  // The next line. Absent: there is none now or, with kYes, none any more. Throws Error{kIo}.
  std::optional<std::string> next(Wait wait);

 private:
  bool fill(Wait wait);  // false: nothing came

  int fd_;
  bool ended_ = false;
  std::string buffer_;
  std::size_t begin_ = 0;     // of the next line, in buffer_
  std::size_t searched_ = 0;  // no LF before it
};

}  // namespace micius
