// How a task, a dataset, a scorer and a runner name each other.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"

namespace micius {

struct Spec {
  std::string name;
  Json params = Json::object();
};

// Where files are. `share`: the project's own data; `data`: third-party data.
struct DataRoots {
  std::filesystem::path share;
  std::filesystem::path data;
};

}  // namespace micius
