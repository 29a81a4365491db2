#include "base/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }  // negative, with errno, where it cannot be opened

 private:
  int fd_;
};

[[noreturn]] void fail_errno(const fs::path& path) {
  fail(ErrorCode::kIo, "{}: {}", path.string(), std::strerror(errno));
}

// `target`: what the user named, of which `path` may be a part made beside it.
void write_to(const fs::path& path, const fs::path& target, int flags,
              const std::function<void(const ByteSink&)>& fill) {
  const auto give_up = [&] {
    const int code = errno;
    fail(ErrorCode::kIo, "{}: cannot be written: {}", target.string(), std::strerror(code));
  };
  const Descriptor file(path, flags);
  if (file.get() < 0) give_up();
  fill([&](std::string_view bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t n = ::write(file.get(), bytes.data() + done, bytes.size() - done);
      if (n < 0 && errno != EINTR) give_up();
      if (n > 0) done += static_cast<std::size_t>(n);
    }
  });
  if (::fsync(file.get()) != 0 && errno != EINVAL) give_up();
}

// A file beside `target` that goes away unless it takes its place.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target) : path_(target) {
    path_ += fmt::format(".tmp{}", ::getpid());
  }
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const fs::path& path() const { return path_; }
  void move_to(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) fail_errno(target);
    path_.clear();
  }

 private:
  fs::path path_;
};

}  // namespace

std::string read_file(const fs::path& path) { return std::string(MappedFile(path).text()); }

void write_file_atomic(const fs::path& path, std::string_view bytes) {
  write_file_atomic(path, [&](const ByteSink& sink) { sink(bytes); });
}

void write_file_atomic(const fs::path& path, const std::function<void(const ByteSink&)>& fill) {
  std::error_code ignored;
  const fs::file_status there = fs::status(path, ignored);
  if (fs::exists(there) &&
      !fs::is_regular_file(there))  // /dev/stdout: a rename would put a file in its place
    return write_to(path, path, O_WRONLY, fill);
  TemporaryFile file(path);
  write_to(file.path(), path, O_WRONLY | O_CREAT | O_TRUNC, fill);
  file.move_to(path);
}

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (file.get() < 0) {
    const int code = errno;
    fail(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "{}: {}", path.string(),
         std::strerror(code));
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail_errno(path);
  if (S_ISDIR(info.st_mode)) fail(ErrorCode::kIo, "{}: is a folder, expected a file", path.string());
  if (info.st_size == 0) return;
  void* data = ::mmap(nullptr, static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) fail_errno(path);
  data_ = static_cast<const std::byte*>(data);
  size_ = static_cast<std::size_t>(info.st_size);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void for_each_line(std::string_view text, const std::function<void(std::string_view, std::size_t)>& fn) {
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    fn(text.substr(0, end), ++number);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

}  // namespace micius
