// Gets what a manifest's entry lacks, for `data fetch` and `model fetch`.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "core/manifest.h"
#include "net/http.h"

namespace micius {

struct Fetched {
  std::vector<std::filesystem::path> here;  // whole and right
  std::vector<std::string> by_user;  // what only the user can bring: "PATH: not there; what to put there"
};

class Fetcher {
 public:
  // `log` must outlive it.
  Fetcher(std::filesystem::path root, Log& log);

  // Gets the files of the entry that are not in the root folder, whole and right, from their URLs and
  // packages, and shows on a terminal how far it is. Files that are there are hashed and not asked for.
  // `command` is what was typed. Throws Error{kIo | kInvalidData | kNotFound} for the first file that cannot
  // be had; those before it stay.
  Fetched fetch(const ManifestEntry& entry, const std::string& command);

 private:
  void fetch_url(const ManifestFile& file, const std::string& url);

  std::filesystem::path root_;
  Log& log_;
  std::optional<HttpClient> client_;  // from the first URL on
};

// Prints a line for each file that is there.
void print_here(const Fetched& fetched);

}  // namespace micius
