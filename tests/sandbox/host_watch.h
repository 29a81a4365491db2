// What an escape from the sandbox would touch, and whether it did.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "temp_dir.h"

namespace micius {

// Every process that descends from the process `of`, with its name.
std::map<int, std::string> descendants(int of);

// The sandbox's control groups of the process `of`.
std::vector<std::string> control_groups_of(int of);

// A file with a secret, listening sockets of three kinds, an environment variable and an open descriptor of
// this process.
class HostWatch {
 public:
  HostWatch();
  ~HostWatch();

  // With @FOLDER@, @PORT@, @ABSTRACT@ and @PID@ replaced.
  std::string filled(std::string text) const;
  // What has changed since the start, as text, or "". Waits a moment for processes that are about to end.
  std::string changes() const;

 private:
  std::string folder_state() const;

  TempDir folder_;
  std::string abstract_, before_;
  int port_ = 0;
  int sockets_[3], secret_;
};

}  // namespace micius
