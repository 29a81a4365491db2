// Our estimators against the project's statistics vectors (scipy, statsmodels), where they are there.
#include "stats/vectors.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "stats/distribution.h"
#include "stats/mean.h"
#include "stats/proportion.h"

namespace micius {

TEST_CASE("intervals of shares agree with the vectors") {
  const std::map<std::string, Interval (*)(std::size_t, std::size_t, double)> functions = {
      {"wilson", wilson}, {"clopper_pearson", clopper_pearson}, {"jeffreys", jeffreys}};
  for (const auto& [name, interval] : functions) {
    const auto wanted = vectors("proportion.json", name);
    if (!wanted) return;
    for (const Json& row : (*wanted)["cases"]) {
      INFO(name << row.dump());
      const Json &in = row["input"], &expected = row["expected"];
      if (expected["low"].is_null()) {
        CHECK(in["n"] == 0);  // no sample: the caller has nothing to estimate
        continue;
      }
      const Interval got = interval(in["k"], in["n"], in["level"]);
      check_value(got.low, expected["low"], (*wanted)["tolerance"]);
      check_value(got.high, expected["high"], (*wanted)["tolerance"]);
    }
  }
}

TEST_CASE("mean intervals agree with the vectors") {
  const auto wanted = vectors("mean.json", "mean_interval");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row["input"]["name"]);
    const auto x = row["input"]["x"].get<std::vector<double>>();
    const MeanInterval got = mean_interval(x, row["input"]["level"]);
    check_value(got.value, row["expected"]["value"], (*wanted)["tolerance"]);
    check_value(got.sd, row["expected"]["sd"], (*wanted)["tolerance"]);
    check_value(got.stderr_, row["expected"]["stderr"], (*wanted)["tolerance"]);
    check_interval(got.normal, row["expected"]["normal"], (*wanted)["tolerance"]);
    check_interval(got.t, row["expected"]["t"], (*wanted)["tolerance"]);
  }
}

TEST_CASE("cluster means agree with the vectors") {
  const auto wanted = vectors("mean.json", "cluster_mean");
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
  if (const auto wanted = vectors("mean.json", "t_quantile")) {
    for (const Json& row : (*wanted)["cases"])
      check_value(t_quantile(row["input"]["p"], row["input"]["df"]), row["expected"]["t"],
                  (*wanted)["tolerance"]);
  }
  if (const auto wanted = vectors("mean.json", "normal_quantile")) {
    for (const Json& row : (*wanted)["cases"])
      check_value(normal_quantile(row["input"]["p"]), row["expected"]["z"], (*wanted)["tolerance"]);
  }
}

}  // namespace micius
