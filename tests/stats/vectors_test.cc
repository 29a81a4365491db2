// Our estimators against the project's statistics vectors (scipy, statsmodels), where they are there.
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "shared_files.h"
#include "stats/mean.h"
#include "stats/quantile.h"

namespace micius {
namespace {

std::optional<Json> function(const std::string& file, const std::string& name) {
  const auto path = vector_folder() / "stats" / file;
  if (!std::filesystem::exists(path)) {
    WARN("skipped: no statistics vectors at " << path.string());
    return std::nullopt;
  }
  return parse_json(read_file(path), path.string()).at("functions").at(name);
}

void check_value(const std::optional<double>& got, const Json& expected, const Json& tolerance) {
  REQUIRE(got.has_value() == !expected.is_null());
  if (!got) return;
  const double value = expected.get<double>();
  CHECK(std::abs(*got - value) <=
        tolerance["abs"].get<double>() + tolerance["rel"].get<double>() * std::abs(value));
}

void check_interval(const std::optional<Interval>& got, const Json& expected, const Json& tolerance) {
  REQUIRE(got.has_value() == !expected.is_null());
  if (!got) return;
  check_value(got->low, expected[0], tolerance);
  check_value(got->high, expected[1], tolerance);
}

}  // namespace

TEST_CASE("wilson agrees with the vectors") {
  const auto wanted = function("proportion.json", "wilson");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json& in = row["input"];
    if (row["expected"]["low"].is_null()) {
      CHECK(in["n"] == 0);  // no sample: the caller has nothing to estimate
      continue;
    }
    const Interval got = wilson(in["k"], in["n"], in["level"]);
    check_value(got.low, row["expected"]["low"], (*wanted)["tolerance"]);
    check_value(got.high, row["expected"]["high"], (*wanted)["tolerance"]);
  }
}

TEST_CASE("mean intervals agree with the vectors") {
  const auto wanted = function("mean.json", "mean_interval");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row["input"]["name"]);
    const auto x = row["input"]["x"].get<std::vector<double>>();
    const MeanInterval got = mean_interval(x, row["input"]["level"]);
    check_value(got.value, row["expected"]["value"], (*wanted)["tolerance"]);
    check_value(got.sd, row["expected"]["sd"], (*wanted)["tolerance"]);
    check_value(got.stderr_, row["expected"]["stderr"], (*wanted)["tolerance"]);
    check_interval(got.t, row["expected"]["t"], (*wanted)["tolerance"]);
  }
}

TEST_CASE("cluster means agree with the vectors") {
  const auto wanted = function("mean.json", "cluster_mean");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row["input"]["name"]);
    const auto x = row["input"]["x"].get<std::vector<double>>();
    std::map<std::string, std::uint32_t> numbers;
    std::vector<std::uint32_t> clusters;
    for (const Json& name : row["input"]["cluster"])
      clusters.push_back(numbers.try_emplace(name.get<std::string>(), numbers.size()).first->second);
    const ClusterMean got = cluster_mean(x, clusters, row["input"]["level"]);
    CHECK(got.clusters == row["expected"]["clusters"]);
    check_value(got.value, row["expected"]["value"], (*wanted)["tolerance"]);
    check_value(got.cr1, row["expected"]["cr1"], (*wanted)["tolerance"]);
    check_value(got.n_effective, row["expected"]["n_effective"], (*wanted)["tolerance"]);
    check_interval(got.t, row["expected"]["t"], (*wanted)["tolerance"]);
  }
}

TEST_CASE("quantiles agree with the vectors") {
  if (const auto wanted = function("mean.json", "t_quantile")) {
    for (const Json& row : (*wanted)["cases"])
      check_value(t_quantile(row["input"]["p"], row["input"]["df"]), row["expected"]["t"],
                  (*wanted)["tolerance"]);
  }
  if (const auto wanted = function("mean.json", "normal_quantile")) {
    for (const Json& row : (*wanted)["cases"])
      check_value(normal_quantile(row["input"]["p"]), row["expected"]["z"], (*wanted)["tolerance"]);
  }
}

}  // namespace micius
