// What models that know everything, and nothing, get on a task: datasets/aimicius/expected.json.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace micius {

struct Reach {
  std::optional<double> floor;    // no model that does not read the question gets more
  std::optional<double> ceiling;  // what the reference answers get, at most
};

using Expected = std::map<std::string, std::map<std::string, Reach>>;  // [task][metric]

// Reads {"micius_expected": 1, task: {runner: {metric: [low, high]}}}; runners that are neither floor nor
// ceiling are passed over. Throws Error{kNotFound, kInvalidData} with file and field.
Expected read_expected(const std::filesystem::path& path);

}  // namespace micius
