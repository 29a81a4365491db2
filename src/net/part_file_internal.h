// The bytes of a download that is not complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/log.h"

namespace micius {

// TARGET.part, open and locked against other processes, with TARGET.part.from, which says what it is a part
// of. Not safe for several threads at once. Throws Error{kIo} naming the file.
class PartFile {
 public:
  // Waits while another process has it. A part of another URL, or one of which nothing is known, is emptied.
  PartFile(const std::filesystem::path& target, const std::string& url, Log& log);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  std::uint64_t size() const { return size_; }
  const std::string& validator() const { return validator_; }  // as If-Range takes it, or ""

  void begin(const std::string& validator);  // empties it: what comes now is the file that this names
  int append(std::string_view bytes);        // 0, or the errno for which not all was written
  std::string sha256() const;
  void move_to_target();
  void remove();

 private:
  void open_locked(Log& log);
  void read_origin();

  std::filesystem::path target_, path_, origin_path_;
  std::string url_, validator_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace micius
