// The files of a request and of its result.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/sandbox.h"

namespace micius {

// Lays `files` and the folders they lie in; relative paths under /job. Throws std::runtime_error.
void lay_files(const std::vector<ExecFile>& files);

struct ChangedFiles {
  std::vector<ExecFile> files;  // by path
  bool whole = true;
};
// The regular files of the writable folders that `laid` does not have just so. Links, sockets and the like
// are passed over, and so is what no longer fits in `most` bytes of paths and contents. For when no other
// process is left.
ChangedFiles changed_files(const std::vector<ExecFile>& laid, std::int64_t most);

}  // namespace micius
