// The bytes of a dataset's file, unpacked if its name ends in ".gz".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"

namespace micius {

// Read-only. text() is valid while the object lives and stays where it is. Throws Error{kInvalidData} for a
// broken or over-long (1 GiB) gzip file, Error{kNotFound|kIo} as MappedFile does.
class SourceFile {
 public:
  explicit SourceFile(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  std::string_view text() const { return unpacked_ ? std::string_view(*unpacked_) : mapped_.text(); }
  std::string sha256() const;  // of the file as it lies on disk

 private:
  std::filesystem::path path_;
  MappedFile mapped_;
  std::optional<std::string> unpacked_;
};

}  // namespace micius
