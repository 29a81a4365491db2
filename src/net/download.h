// Gets a file: resumable, verified, atomic. The file is in its place whole and right, or not at all.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/log.h"
#include "net/http.h"

namespace micius {

struct Download {
  std::string url;
  std::filesystem::path target;  // its folder is made
  std::optional<std::uint64_t> bytes;
  std::string sha256;  // 64 lower-case digits
};

struct DownloadOptions {
  HttpLimits limits{.idle = std::chrono::seconds(60), .body_bytes = std::uint64_t{16} << 30};
  int attempts = 6;  // in a row without progress of `progress_bytes`
  std::uint64_t progress_bytes = 1 << 20;
  std::chrono::milliseconds first_wait{500}, longest_wait{30'000};  // between attempts, with full jitter
  // The most that a server may ask to wait; above it the download ends.
  std::chrono::seconds longest_asked_wait{600};
  // How much is there of how much (0: not known). Often, on another thread; must not throw.
  std::function<void(std::uint64_t, std::uint64_t)> on_progress{};
};

// Beside the target there are, until it is complete, TARGET.part with the bytes so far and TARGET.part.from,
// which says whose they are. A later call, of this or another process, goes on from there if the server takes
// ranges and its file is the same (If-Range); else from the beginning. Two processes: the second waits for
// the first and finds the file there. A server's trouble (429, 5xx, a cut, a stall) is tried again; what will
// not get better (404, a wrong length, no space) is not.
//
// Throws Error{kIo} where it cannot be had, Error{kInvalidData} for another length or hash (both are named,
// and nothing is kept); the message names URL, file and next step. `log` hears of waits and second tries.
void download(HttpClient& client, const Download& file, const DownloadOptions& options, Log& log);

}  // namespace micius
