#include "cli/line_reader.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <utility>

#include <unistd.h>

#include "base/error.h"

namespace micius {

std::optional<std::string> LineReader::next(Wait wait) {
  do {
    const std::size_t end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(begin_, end - begin_);
      begin_ = searched_ = end + 1;
      return line;
    }
    searched_ = buffer_.size();
  } while (!ended_ && fill(wait));
  if (!ended_ || begin_ == buffer_.size()) return std::nullopt;
  std::string line = buffer_.substr(begin_);
  begin_ = buffer_.size();
  return line;
}

bool LineReader::fill(Wait wait) {
  buffer_.erase(0, begin_);
  searched_ -= std::exchange(begin_, 0);
  pollfd input{fd_, POLLIN, 0};
  while (true) {
    const int ready = ::poll(&input, 1, wait == Wait::kYes ? -1 : 0);
    if (ready == 0) return false;
    std::array<char, 65536> bytes;
    const ssize_t size = ready < 0 ? -1 : ::read(fd_, bytes.data(), bytes.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) fail(ErrorCode::kIo, "stdin: {}", std::strerror(errno));
    ended_ = size == 0;
    buffer_.append(bytes.data(), static_cast<std::size_t>(size));
    return true;
  }
}

}  // namespace micius
