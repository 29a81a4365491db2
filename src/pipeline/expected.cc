#include "pipeline/expected.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace micius {
namespace {

constexpr const char* kCeiling = "reference";
constexpr std::array kFloors = {"empty", "random", "constant", "parrot"};

double highest(const JsonFields& runner, const std::string& metric) {
  const Json& band = runner.at(metric);
  if (band.is_array() && band.size() == 2 && band[0].is_number() && band[1].is_number()) return band[1];
  fail(ErrorCode::kInvalidData, "{}: field '{}' must be two numbers, [low, high]", runner.where(), metric);
}

}  // namespace

Expected read_expected(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json file = parse_json(read_file(path), where);
  const JsonFields fields(file, where);
  fields.integer("micius_expected");
  Expected expected;
  for (const auto& [task, runners] : file.items()) {
    if (task == "micius_expected") continue;
    const JsonFields of_task = fields.object(task);
    for (const auto& [runner, bands] : runners.items()) {
      const JsonFields of_runner = of_task.object(runner);
      const bool floor = std::find(kFloors.begin(), kFloors.end(), runner) != kFloors.end();
      for (const auto& [metric, band] : bands.items()) {
        Reach& reach = expected[task][metric];
        const double value = highest(of_runner, metric);
        if (floor) reach.floor = std::max(reach.floor.value_or(0), value);
        if (runner == kCeiling) reach.ceiling = value;
      }
    }
  }
  return expected;
}

}  // namespace micius
