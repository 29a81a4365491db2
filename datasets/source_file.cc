#include "datasets/source_file.h"

#include <memory>
#include <utility>
#include <zlib.h>

#include "base/error.h"
#include "base/hash.h"

namespace micius {
namespace {

constexpr std::size_t kMaxUnpacked = std::size_t{1} << 30;

std::string unpack(const std::filesystem::path& path) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), &gzclose);
  if (file == nullptr) fail(ErrorCode::kIo, "{}: cannot be opened", path.string());
  std::string text;
  std::string block(std::size_t{1} << 18, '\0');
  for (;;) {
    const int n = gzread(file.get(), block.data(), static_cast<unsigned>(block.size()));
    int code = Z_OK;
    const char* what = gzerror(file.get(), &code);
    if (n < 0 || (code != Z_OK && code != Z_STREAM_END)) {
      fail(ErrorCode::kInvalidData, "{}: broken gzip file after {} unpacked bytes: {}", path.string(),
           text.size(), what);
    }
    if (n == 0) return text;
    text.append(block, 0, static_cast<std::size_t>(n));
    if (text.size() > kMaxUnpacked) {
      fail(ErrorCode::kInvalidData, "{}: more than {} bytes unpacked; unpack it by hand", path.string(),
           kMaxUnpacked);
    }
  }
}

}  // namespace

SourceFile::SourceFile(std::filesystem::path path) : path_(std::move(path)), mapped_(path_) {
  if (path_.extension() == ".gz") unpacked_ = unpack(path_);
}

const std::string& SourceFile::sha256() const {
  std::call_once(hashed_, [this] { sha256_ = sha256_hex(mapped_.text()); });
  return sha256_;
}

std::shared_ptr<const SourceFile> SourceFiles::open(const std::filesystem::path& path) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<const SourceFile>& known = open_[path];
  std::shared_ptr<const SourceFile> file = known.lock();
  if (file == nullptr) known = file = std::make_shared<const SourceFile>(path);
  return file;
}

}  // namespace micius
