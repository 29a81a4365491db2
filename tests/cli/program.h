// Runs the program as a user does.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace micius {

struct Outcome {
  int exit_code;
  std::string out, err;
};

// Runs micius in `folder` with `environment` ("HOME=x") before it.
Outcome run_micius(const std::filesystem::path& folder, const std::vector<std::string>& environment,
                   const std::vector<std::string>& arguments);

}  // namespace micius
