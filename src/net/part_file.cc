#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "net/part_file_internal.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

fs::path with_ending(fs::path path, const char* ending) {
  path += ending;
  return path;
}

[[noreturn]] void fail_errno(const fs::path& path) {
  const int code = errno;
  fail(ErrorCode::kIo, "{}: {}", path.string(), std::strerror(code));
}

// Is the open file still the one of that name? Its owner may have moved or removed it meanwhile.
bool is_at(int fd, const fs::path& path) {
  struct stat open {
  }, there{};
  return ::fstat(fd, &open) == 0 && ::stat(path.c_str(), &there) == 0 && open.st_ino == there.st_ino &&
         open.st_dev == there.st_dev;
}

}  // namespace

PartFile::PartFile(const fs::path& target, const std::string& url, Log& log)
    : target_(target),
      path_(with_ending(target, ".part")),
      origin_path_(with_ending(target, ".part.from")),
      url_(url) {
  open_locked(log);
  read_origin();
}

PartFile::~PartFile() { ::close(fd_); }

void PartFile::open_locked(Log& log) {
  bool told = false;
  while (true) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) fail_errno(path_);
    // On a file system without locks two processes spoil each other's part at worst; the hash tells.
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      if (!told) log.warning(fmt::format("{}: another process is getting it; waiting", target_.string()));
      told = true;
      while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) continue;
    }
    if (is_at(fd_, path_)) return;
    ::close(fd_);
  }
}

void PartFile::read_origin() {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) fail_errno(path_);
  size_ = static_cast<std::uint64_t>(info.st_size);
  if (size_ == 0) return;
  std::error_code ignored;
  if (fs::is_regular_file(origin_path_, ignored)) {
    const std::string text = read_file(origin_path_);
    const std::vector<std::string_view> lines = split(text, '\n');
    if (lines.size() >= 2 && lines[0] == url_) {
      validator_ = lines[1];
      return;
    }
  }
  if (::ftruncate(fd_, 0) != 0) fail_errno(path_);
  size_ = 0;
}

void PartFile::begin(const std::string& validator) {
  if (::ftruncate(fd_, 0) != 0) fail_errno(path_);
  size_ = 0;
  validator_ = validator;
  write_file_atomic(origin_path_, fmt::format("{}\n{}\n", url_, validator));
}

int PartFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    size_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

std::string PartFile::sha256() const { return size_ == 0 ? sha256_hex("") : sha256_file(path_); }

void PartFile::move_to_target() {
  if (::fsync(fd_) != 0 && errno != EINVAL) fail_errno(path_);
  if (::rename(path_.c_str(), target_.c_str()) != 0) fail_errno(target_);
  ::unlink(origin_path_.c_str());
}

void PartFile::remove() {
  ::unlink(origin_path_.c_str());
  ::unlink(path_.c_str());
}

}  // namespace micius
