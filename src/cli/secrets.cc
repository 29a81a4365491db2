#include "cli/secrets.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/environment.h"

namespace micius {
namespace {

constexpr std::size_t kLongest = 16 << 10;  // tokens of Entra have some thousand characters

class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ >= 0) return;
    fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "{}: cannot read this key file: {}",
         path.string(), std::strerror(errno));
  }
  ~OpenFile() { ::close(fd_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Of the open file, so that it cannot be another one when it is read.
void check_mode(int fd, const std::string& path) {
  struct stat found {};
  if (::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))
    fail(ErrorCode::kUsage, "{}: a key is read from a regular file", path);
  if (found.st_uid != ::geteuid())
    fail(ErrorCode::kUsage, "{}: this key file belongs to another user; make a copy of your own", path);
  if ((found.st_mode & 077) != 0) {
    fail(ErrorCode::kUsage, "{}: others may use this key file (mode {:04o}); chmod 600 {}", path,
         found.st_mode & 07777, path);
  }
}

std::string read_all(int fd, const std::string& path) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(ErrorCode::kIo, "{}: cannot read this key file: {}", path, std::strerror(errno));
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > kLongest) fail(ErrorCode::kUsage, "{}: too long for a file with one key", path);
  }
}

}  // namespace

std::string read_key_file(const std::filesystem::path& path) {
  const OpenFile file(path);
  check_mode(file.fd(), path.string());
  std::string key(strip(read_all(file.fd(), path.string())));
  const auto is_visible = [](char c) { return c > ' ' && c < '\x7f'; };
  if (key.empty() || !std::all_of(key.begin(), key.end(), is_visible))
    fail(ErrorCode::kUsage, "{}: expected one line that is the key and nothing else", path.string());
  return key;
}

std::string secret_from(const std::string& name) {
  std::string value = environment_text(name), file = environment_text(name + "_FILE");
  if (file.empty()) return value;
  if (!value.empty()) fail(ErrorCode::kUsage, "{0} and {0}_FILE are both set; unset one of them", name);
  return read_key_file(file);
}

void forbid_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);  // a program that takes dumps does not keep to the limit
}

}  // namespace micius
