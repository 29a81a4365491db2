// The project's statistics vectors (scipy, statsmodels and others), and how they are compared.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "shared_files.h"
#include "stats/interval.h"

namespace micius {

// Absent, with a warning, where the vectors are not there.
inline std::optional<Json> vectors(const std::string& file, const std::string& name) {
  const auto path = vector_folder() / "stats" / file;
  if (!std::filesystem::exists(path)) {
    WARN("skipped: no statistics vectors at " << path.string());
    return std::nullopt;
  }
  return parse_json(read_file(path), path.string()).at("functions").at(name);
}

inline void check_value(const std::optional<double>& got, const Json& expected, const Json& tolerance) {
  REQUIRE(got.has_value() == !expected.is_null());
  if (!got) return;
  const double value = expected.get<double>();
  INFO("got " << *got << ", expected " << value);
  CHECK(std::abs(*got - value) <=
        tolerance["abs"].get<double>() + tolerance["rel"].get<double>() * std::abs(value));
}

inline void check_interval(const std::optional<Interval>& got, const Json& expected, const Json& tolerance) {
  REQUIRE(got.has_value() == !expected.is_null());
  if (!got) return;
  check_value(got->low, expected[0], tolerance);
  check_value(got->high, expected[1], tolerance);
}

inline void check_values(const std::vector<double>& got, const Json& expected, const Json& tolerance) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) check_value(got[i], expected[i], tolerance);
}

// A field of a result that may be absent as a whole.
template <typename Result, typename Field>
std::optional<Field> field(const std::optional<Result>& result, Field Result::*member) {
  return result ? std::optional<Field>((*result).*member) : std::nullopt;
}
template <typename Result, typename Field>
std::optional<Field> field(const std::optional<Result>& result, std::optional<Field> Result::*member) {
  return result ? (*result).*member : std::nullopt;
}

}  // namespace micius
