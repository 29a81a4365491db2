// Files: whole reads, atomic writes, read-only maps, lines. Errors are Error{kNotFound|kIo} and name the
// path.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace micius {

std::string read_file(const std::filesystem::path& path);

// Writes a neighbour file, flushes it to disk and renames it over `path`: a reader sees the old bytes or the
// new ones, and a write that fails leaves nothing beside it. What is there and no regular file (a pipe, a
// device) is written to as it is.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

// The same for a file that is made piece by piece: fill(sink) calls sink(bytes) for each.
using ByteSink = std::function<void(std::string_view)>;
void write_file_atomic(const std::filesystem::path& path, const std::function<void(const ByteSink&)>& fill);

// A file mapped read-only. Movable; the span is valid while the object lives. An empty file gives an empty
// span.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Calls fn(line, number) for each line of `text`, number from 1. A line ends at LF only; the last one may
// lack it; a CR before the LF stays.
void for_each_line(std::string_view text, const std::function<void(std::string_view, std::size_t)>& fn);

}  // namespace micius
