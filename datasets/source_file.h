// The bytes of a dataset's file, unpacked if its name ends in ".gz".
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
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
  // Of the file as it lies on disk; computed once, when it is first asked for.
  const std::string& sha256() const;

 private:
  std::filesystem::path path_;
  MappedFile mapped_;
  std::optional<std::string> unpacked_;
  mutable std::once_flag hashed_;
  mutable std::string sha256_;
};

// The files of the datasets that are open, so that one that many read, as the 57 subjects of MMLU theirs, is
// unpacked and hashed once. Shared, since a file goes with the last dataset that reads it. Safe to call from
// several threads.
class SourceFiles {
 public:
  std::shared_ptr<const SourceFile> open(const std::filesystem::path& path);

 private:
  std::mutex mutex_;
  std::map<std::filesystem::path, std::weak_ptr<const SourceFile>> open_;
};

}  // namespace micius
