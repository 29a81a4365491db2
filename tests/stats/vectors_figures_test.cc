// Bootstrap, agreement, ranking, sequential tests and figures of several tasks against the vectors.
#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "stats/aggregate.h"
#include "stats/agreement.h"
#include "stats/bootstrap.h"
#include "stats/bradley_terry.h"
#include "stats/pass_at_k.h"
#include "stats/rank_correlation.h"
#include "stats/sample_quantile.h"
#include "stats/sequential.h"
#include "stats/vectors.h"

namespace micius {
namespace {

using Values = std::vector<double>;

std::optional<double> optional_number(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

double mean(const Values& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double median(Values x) {
  std::sort(x.begin(), x.end());
  return quantile_type7(x, 0.5);
}

double statistic(const std::string& name, const Values& x) {
  if (name == "mean") return mean(x);
  if (name == "median") return median(x);
  if (name == "upper median") {
    Values sorted = x;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
  if (name == "perplexity") return std::exp(-mean(x));
  REQUIRE(name == "population variance");
  Values squares;
  for (const double value : x) squares.push_back((value - mean(x)) * (value - mean(x)));
  return mean(squares);
}

Values jackknife_of(const std::string& name, const Values& x) {
  Values result;
  for (std::size_t i = 0; i < x.size() && x.size() > 1; ++i) {
    Values rest = x;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    result.push_back(statistic(name, rest));
  }
  return result;
}

// "x": a list, or {"ones", "zeros"}.
Values list_of(const Json& x) {
  if (x.is_array()) return x.get<Values>();
  Values result(x["ones"].get<std::size_t>(), 1.0);
  result.resize(result.size() + x["zeros"].get<std::size_t>(), 0.0);
  return result;
}

// All samples of n drawn from n; the means of these samples, or of the clusters of `sizes`.
Values exhaustive(const Values& sums, const Values& sizes) {
  Values result;
  std::vector<std::size_t> drawn(sums.size());
  while (true) {
    double sum = 0, size = 0;
    for (const std::size_t i : drawn) {
      sum += sums[i];
      size += sizes[i];
    }
    result.push_back(sum / size);
    std::size_t place = 0;
    while (place < drawn.size() && ++drawn[place] == sums.size()) drawn[place++] = 0;
    if (place == drawn.size()) return result;
  }
}

}  // namespace

TEST_CASE("bootstrap intervals agree with the vectors") {
  const auto wanted = vectors("bootstrap.json", "bootstrap_from_resamples");
  if (!wanted) return;
  const Json& tolerance = (*wanted)["tolerance"];
  for (const Json& row : (*wanted)["cases"]) {
    const Json &in = row["input"], &expected = row["expected"];
    INFO(in["name"] << " at " << in["level"]);
    const Values jackknife = in.contains("jackknife") ? in["jackknife"].get<Values>()
                                                      : jackknife_of(in["statistic"], in["x"].get<Values>());
    const BootstrapIntervals got =
        bootstrap_intervals(in["estimate"], in["resamples"].get<Values>(), jackknife, in["level"]);
    check_value(got.stderr_, expected["stderr"], tolerance);
    check_value(got.z0, expected["z0"], tolerance);
    check_value(got.acceleration, expected["a"], tolerance);
    check_value(got.low_share, expected["alpha1"], tolerance);
    check_value(got.high_share, expected["alpha2"], tolerance);
    check_interval(got.percentile, expected["percentile"], tolerance);
    check_interval(got.basic, expected["basic"], tolerance);
    check_interval(got.bca, expected["bca"], tolerance);
  }
  const auto rows = vectors("bootstrap.json", "jackknife_acceleration");
  for (const Json& row : (*rows)["cases"]) {
    INFO(row.dump());
    check_value(acceleration(jackknife_of("mean", list_of(row["input"]["x"]))), row["expected"]["a"],
                (*rows)["tolerance"]);
  }
}

TEST_CASE("all resamples, and many random ones, agree with the vectors") {
  const auto wanted = vectors("bootstrap.json", "exhaustive_bootstrap");
  if (!wanted) return;
  const Json& tolerance = (*wanted)["tolerance"];
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json &in = row["input"], &expected = row["expected"];
    Values values, sums, sizes;
    std::vector<std::uint32_t> clusters;
    const bool clustered = in.contains("clusters");
    for (const Json& entry : clustered ? in["clusters"] : in["x"]) {
      const Values members = clustered ? entry.get<Values>() : Values{entry.get<double>()};
      clusters.resize(clusters.size() + members.size(), static_cast<std::uint32_t>(sums.size()));
      values.insert(values.end(), members.begin(), members.end());
      sums.push_back(std::accumulate(members.begin(), members.end(), 0.0));
      sizes.push_back(static_cast<double>(members.size()));
    }
    const Values all = exhaustive(sums, sizes);
    const auto count = static_cast<double>(all.size());
    CHECK(all.size() == expected["resamples"]);
    const BootstrapIntervals got = bootstrap_intervals(mean(values), all, sums, 0.95);
    check_interval(got.percentile, expected["percentile_95"], tolerance);
    check_value(*got.stderr_ * std::sqrt((count - 1) / count), expected["stderr"], tolerance);
    if (expected.contains("percentile_90"))
      check_interval(bootstrap_intervals(mean(values), all, sums, 0.9).percentile, expected["percentile_90"],
                     tolerance);
    const BootstrapIntervals random = bootstrap_mean(values, clusters, {40000, "exhaustive"});
    CHECK(*random.stderr_ == Approx(expected["stderr"].get<double>()).epsilon(4 / std::sqrt(2 * 39999.0)));
  }
  const auto bands = vectors("bootstrap.json", "random_bootstrap_bands");
  for (const Json& row : (*bands)["cases"]) {
    const BootstrapIntervals got =
        bootstrap_mean(row["input"]["x"].get<Values>(), {}, {row["input"]["resamples"], "bands"});
    CHECK(*got.stderr_ >= row["expected"]["low"].get<double>());
    CHECK(*got.stderr_ <= row["expected"]["high"].get<double>());
  }
}

TEST_CASE("agreement of raters agrees with the vectors") {
  const auto cohen = vectors("agreement.json", "cohen_kappa");
  if (!cohen) return;
  for (const Json& row : (*cohen)["cases"]) {
    INFO(row.dump());
    const Json &expected = row["expected"], &tolerance = (*cohen)["tolerance"];
    const CohenKappa got = cohen_kappa(row["input"]["table"].get<Table>());
    CHECK(got.n == expected["n"]);
    check_value(got.agreement, expected["agreement"], tolerance);
    check_value(got.unweighted, expected["unweighted"], tolerance);
    check_value(got.linear, expected["linear"], tolerance);
    check_value(got.quadratic, expected["quadratic"], tolerance);
    check_value(got.stderr_, expected["stderr"], tolerance);
  }
  const auto fleiss = vectors("agreement.json", "fleiss_kappa");
  for (const Json& row : (*fleiss)["cases"]) {
    INFO(row.dump());
    check_value(fleiss_kappa(row["input"]["table"].get<Table>()), row["expected"]["value"],
                (*fleiss)["tolerance"]);
  }
  const auto alpha = vectors("agreement.json", "krippendorff_alpha");
  const std::map<std::string, Distance> distances = {{"nominal", Distance::kNominal},
                                                     {"ordinal", Distance::kOrdinal},
                                                     {"interval", Distance::kInterval},
                                                     {"ratio", Distance::kRatio}};
  for (const Json& row : (*alpha)["cases"]) {
    INFO(row.dump());
    std::vector<std::vector<std::optional<double>>> ratings;
    for (const Json& rater : row["input"]["ratings"]) {
      ratings.emplace_back();
      for (const Json& rating : rater) ratings.back().push_back(optional_number(rating));
    }
    for (const auto& [name, expected] : row["expected"].items())
      check_value(krippendorff_alpha(ratings, distances.at(name)), expected, (*alpha)["tolerance"]);
  }
}

TEST_CASE("rankings agree with the vectors") {
  const auto wanted = vectors("ranking.json", "bradley_terry");
  if (!wanted) return;
  const Json& tolerance = (*wanted)["tolerance"];
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json& expected = row["expected"];
    const auto got = bradley_terry(row["input"]["wins"].get<std::vector<Values>>());
    REQUIRE(got.has_value() == !expected["theta"].is_null());
    if (!got) continue;
    check_values(got->strength, expected["theta"], tolerance);
    check_values(got->stderr_, expected["stderr"], tolerance);
    for (std::size_t i = 0; i < got->strength.size(); ++i) {
      check_values(got->difference_stderr[i], expected["diff_stderr"][i], tolerance);
      check_value(elo(got->strength[i]), expected["elo"][i], tolerance);
    }
  }
  const auto ranks = vectors("ranking.json", "rank_correlation");
  for (const Json& row : (*ranks)["cases"]) {
    INFO(row.dump());
    const auto got = rank_correlation(row["input"]["x"].get<Values>(), row["input"]["y"].get<Values>());
    check_value(field(got, &RankCorrelation::tau_b), row["expected"]["tau_b"], (*ranks)["tolerance"]);
    check_value(field(got, &RankCorrelation::tau_p), row["expected"]["tau_p"], (*ranks)["tolerance"]);
    check_value(field(got, &RankCorrelation::rho), row["expected"]["rho"], (*ranks)["tolerance"]);
    check_value(field(got, &RankCorrelation::rho_p), row["expected"]["rho_p"], (*ranks)["tolerance"]);
  }
}

TEST_CASE("pass@k and pass^k agree with the vectors") {
  const auto wanted = vectors("pass_at_k.json", "pass_at_k");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json &in = row["input"], &expected = row["expected"];
    if (expected["pass_at_k"].is_null()) {
      CHECK(in["k"] > in["n"]);  // the caller's to leave out
      continue;
    }
    check_value(pass_at_k(in["n"], in["c"], in["k"]), expected["pass_at_k"], (*wanted)["tolerance"]);
    check_value(pass_hat_k(in["n"], in["c"], in["k"]), expected["pass_hat_k"], (*wanted)["tolerance"]);
  }
  const auto datasets = vectors("pass_at_k.json", "pass_at_k_dataset");
  for (const Json& row : (*datasets)["cases"]) {
    INFO(row.dump());
    std::vector<Problem> problems;
    for (const Json& problem : row["input"]["problems"]) problems.push_back({problem["n"], problem["c"]});
    const auto got = pass_at_k(problems, row["input"]["k"]);
    check_value(field(got, &Estimate::value), row["expected"]["value"], (*datasets)["tolerance"]);
    check_value(field(got, &Estimate::stderr_), row["expected"]["stderr"], (*datasets)["tolerance"]);
  }
}

TEST_CASE("quantiles of lists agree with the vectors") {
  const auto wanted = vectors("quantiles.json", "quantile");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    const Json &in = row["input"], &expected = row["expected"];
    INFO(in["name"] << " at " << in["num"] << " / " << in["den"]);
    Values x;
    if (in.contains("x")) {
      x = in["x"].get<Values>();
    } else {
      x = (*wanted)["data"][in["data"].get<std::string>()].get<Values>();
    }
    CHECK(x.size() == expected["n"]);
    if (x.empty()) continue;
    std::sort(x.begin(), x.end());
    const double p = in["num"].get<double>() / in["den"].get<double>();
    check_value(quantile_type7(x, p), expected["type7"], (*wanted)["tolerance"]);
    check_value(nearest_rank(x, in["num"], in["den"]), expected["nearest_rank"], (*wanted)["tolerance"]);
  }
}

TEST_CASE("sequential tests agree with the vectors") {
  const auto wanted = vectors("sequential.json", "mixture_sprt");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json &in = row["input"], &expected = row["expected"];
    const std::size_t a = in["only_a"], b = in["only_b"];
    const double log_e = mixture_log_e(a, b), alpha = in["alpha"];
    check_value(log_e, expected["log_e"], (*wanted)["tolerance"]);
    CHECK((log_e >= -std::log(alpha)) == expected["reject"]);
    check_interval(mixture_confidence(a, b, alpha), expected["cs"], (*wanted)["tolerance"]);
  }
  const auto streams = vectors("sequential.json", "mixture_sprt_stream");
  for (const Json& row : (*streams)["cases"]) {
    INFO(row["input"]["name"]);
    MixtureSprt test;
    Values log_e, p;
    Json rejected_at = nullptr;
    for (const Json& difference : row["input"]["differences"]) {
      test.add(difference == 1    ? MixtureSprt::Pair::kOnlyA
               : difference == -1 ? MixtureSprt::Pair::kOnlyB
                                  : MixtureSprt::Pair::kSame);
      log_e.push_back(test.log_e());
      p.push_back(test.p());
      if (rejected_at.is_null() && test.rejects(row["input"]["alpha"])) rejected_at = log_e.size();
    }
    check_values(log_e, row["expected"]["log_e"], (*streams)["tolerance"]);
    check_values(p, row["expected"]["p_always"], (*streams)["tolerance"]);
    CHECK(rejected_at == row["expected"]["rejected_at"]);
  }
}

TEST_CASE("the empirical Bernstein sequence agrees with the vectors") {
  const auto wanted = vectors("sequential.json", "empirical_bernstein_cs");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row["input"]["name"]);
    EmpiricalBernstein sequence(row["input"]["alpha"]);
    Values low, high, running_low, running_high;
    for (const Json& difference : row["input"]["differences"]) {
      sequence.add(difference);
      low.push_back(sequence.interval().low);
      high.push_back(sequence.interval().high);
      running_low.push_back(sequence.running().low);
      running_high.push_back(sequence.running().high);
    }
    check_values(low, row["expected"]["low"], (*wanted)["tolerance"]);
    check_values(high, row["expected"]["high"], (*wanted)["tolerance"]);
    check_values(running_low, row["expected"]["running_low"], (*wanted)["tolerance"]);
    check_values(running_high, row["expected"]["running_high"], (*wanted)["tolerance"]);
  }
}

TEST_CASE("figures of several tasks agree with the vectors") {
  const auto wanted = vectors("aggregation.json", "group_score");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json &expected = row["expected"], &tolerance = (*wanted)["tolerance"];
    std::vector<Part> parts;
    for (std::size_t i = 0; i < row["input"]["groups"].size(); ++i)
      parts.push_back({optional_number(expected["means"][i]), optional_number(expected["stderrs"][i]),
                       row["input"]["groups"][i]["n"].get<std::size_t>()});
    const GroupScore got = group_score(parts);
    check_value(got.micro, expected["micro"], tolerance);
    check_value(got.macro, expected["macro"], tolerance);
    check_value(got.lm_micro, expected["stderr_lm_micro"], tolerance);
    check_value(got.lm_macro, expected["stderr_lm_macro"], tolerance);
    check_value(got.stratified, expected["stderr_stratified"], tolerance);
    check_value(got.concatenated, expected["stderr_concat"], tolerance);
  }
  const auto weighted = vectors("aggregation.json", "weighted_mean");
  for (const Json& row : (*weighted)["cases"]) {
    INFO(row.dump());
    const Json& in = row["input"];
    std::vector<WeightedPart> parts;
    for (std::size_t i = 0; i < in["means"].size(); ++i)
      parts.push_back({in["means"][i], in["weights"][i], optional_number(in["stderrs"][i])});
    check_value(weighted_mean(parts).value, row["expected"]["value"], (*weighted)["tolerance"]);
    check_value(weighted_mean(parts).stderr_, row["expected"]["stderr"], (*weighted)["tolerance"]);
  }
}

TEST_CASE("lm-eval's bootstrap agrees with the vectors") {
  const auto wanted = vectors("aggregation.json", "lm_eval_bootstrap_stderr");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json& in = row["input"];
    const std::string metric = in["metric"];
    const auto figure = [&](std::span<const std::size_t> drawn) {
      if (!in["x"][0].is_array()) {
        Values x;
        for (const std::size_t i : drawn) x.push_back(in["x"][i]);
        return statistic(metric == "median" ? "upper median" : metric, x);
      }
      double counts[2][2] = {};  // [gold][predicted]
      for (const std::size_t i : drawn) ++counts[in["x"][i][0].get<int>()][in["x"][i][1].get<int>()];
      const double tp = counts[1][1], fp = counts[0][1], fn = counts[1][0], tn = counts[0][0];
      if (metric == "f1_score") return 2 * tp / (2 * tp + fp + fn);
      const double under = std::sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
      return under == 0 ? 0 : (tp * tn - fp * fn) / under;
    };
    check_value(lm_eval_bootstrap_stderr(in["x"].size(), figure, in["iters"]), row["expected"]["stderr"],
                (*wanted)["tolerance"]);
  }
}

}  // namespace micius
