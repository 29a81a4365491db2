// Tests, their correction and their power against the vectors.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "stats/multiplicity.h"
#include "stats/paired.h"
#include "stats/permutation.h"
#include "stats/power.h"
#include "stats/signed_rank.h"
#include "stats/two_samples.h"
#include "stats/vectors.h"

namespace micius {
namespace {

PairedCounts counts_of(const Json& in) { return {in["both"], in["only_a"], in["only_b"], in["neither"]}; }

}  // namespace

TEST_CASE("McNemar's tests agree with the vectors") {
  const auto wanted = vectors("paired_binary.json", "mcnemar");
  if (!wanted) return;
  const Json tolerance = (*wanted)["tolerance"], logs = tolerance["fields"]["log10_exact"];
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json& expected = row["expected"];
    const PairedCounts counts = counts_of(row["input"]);
    const auto got = mcnemar(counts);
    CHECK(counts.discordant() == expected["m"]);
    const auto binomial = field(got, &McNemar::binomial);
    check_value(field(binomial, &BinomialTest::exact), expected["exact"], tolerance);
    check_value(field(binomial, &BinomialTest::log10_exact), expected["log10_exact"], logs);
    check_value(field(binomial, &BinomialTest::mid_p), expected["mid_p"], tolerance);
    check_value(field(got, &McNemar::chi2), expected["chi2"], tolerance);
    check_value(field(got, &McNemar::chi2_p), expected["p"], tolerance);
    check_value(field(got, &McNemar::chi2_corrected), expected["chi2_cc"], tolerance);
    check_value(field(got, &McNemar::chi2_corrected_p), expected["p_cc"], tolerance);
  }
}

TEST_CASE("intervals of paired differences agree with the vectors") {
  const auto wanted = vectors("paired_binary.json", "paired_difference_interval");
  if (!wanted) return;
  const Json& tolerance = (*wanted)["tolerance"];
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json& expected = row["expected"];
    const auto got = paired_difference(counts_of(row["input"]), row["input"]["level"]);
    check_value(field(got, &PairedDifference::value), expected["value"], tolerance);
    check_value(field(got, &PairedDifference::stderr_), expected["stderr"], tolerance);
    check_interval(field(got, &PairedDifference::tango), expected["tango"], tolerance);
    check_interval(field(got, &PairedDifference::newcombe), expected["newcombe"], tolerance);
    check_interval(field(got, &PairedDifference::wald), expected["wald"], tolerance);
  }
}

TEST_CASE("shares over different questions agree with the vectors") {
  const auto wanted = vectors("two_samples.json", "two_proportion");
  if (!wanted) return;
  const Json& tolerance = (*wanted)["tolerance"];
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json &in = row["input"], &expected = row["expected"];
    const auto got = compare_shares({in["k1"], in["n1"]}, {in["k2"], in["n2"]}, in["level"]);
    check_value(field(got, &TwoShares::value), expected["value"], tolerance);
    check_value(field(got, &TwoShares::z), expected["z"], tolerance);
    check_value(field(got, &TwoShares::p), expected["p"], tolerance);
    check_interval(field(got, &TwoShares::newcombe), expected["newcombe"], tolerance);
    check_interval(field(got, &TwoShares::wald), expected["wald"], tolerance);
  }
}

TEST_CASE("the sign test agrees with the vectors") {
  const auto wanted = vectors("nonparametric.json", "sign_test");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json& expected = row["expected"];
    const auto got = sign_test(row["input"]["differences"].get<std::vector<double>>());
    check_value(field(got, &SignTest::p), expected["p"], (*wanted)["tolerance"]);
    CHECK((got ? got->plus : 0) == expected["plus"]);
    CHECK((got ? got->minus : 0) == expected["minus"]);
    CHECK((got ? got->ties : 0) == expected["ties"]);
  }
}

TEST_CASE("Wilcoxon's test agrees with the vectors") {
  const auto wanted = vectors("nonparametric.json", "wilcoxon_signed_rank");
  if (!wanted) return;
  const Json& tolerance = (*wanted)["tolerance"];
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json& expected = row["expected"];
    const auto got = signed_rank(row["input"]["differences"].get<std::vector<double>>());
    check_value(field(got, &SignedRank::w_plus), expected["w_plus"], tolerance);
    check_value(field(got, &SignedRank::w_minus), expected["w_minus"], tolerance);
    const auto exact = field(got, &SignedRank::exact);
    check_value(field(exact, &SignedRank::Exact::p), expected["exact"], tolerance);
    check_value(field(exact, &SignedRank::Exact::extreme), expected["exact_extreme"], tolerance);
    check_value(field(exact, &SignedRank::Exact::total), expected["exact_total"], tolerance);
    const auto check_normal = [&](const std::optional<SignedRank::Normal>& normal, const Json& row_of) {
      REQUIRE(normal.has_value() == !row_of.is_null());
      if (!normal) return;
      check_value(normal->w_plus, row_of["w_plus"], tolerance);
      check_value(normal->z, row_of["z"], tolerance);
      check_value(normal->p, row_of["p"], tolerance);
    };
    check_normal(field(got, &SignedRank::wilcox), expected["normal"]["wilcox"]);
    check_normal(field(got, &SignedRank::wilcox_corrected), expected["normal"]["wilcox_cc"]);
    check_normal(field(got, &SignedRank::pratt), expected["normal"]["pratt"]);
    check_normal(field(got, &SignedRank::pratt_corrected), expected["normal"]["pratt_cc"]);
    if (!got) continue;
    CHECK(got->zeros == expected["zeros"]);
    CHECK(got->ties == expected["ties"]);
  }
}

TEST_CASE("sign flips agree with the vectors") {
  if (const auto wanted = vectors("nonparametric.json", "paired_permutation_exact")) {
    const Json& tolerance = (*wanted)["tolerance"];
    for (const Json& row : (*wanted)["cases"]) {
      INFO(row.dump());
      const auto got = sign_flips(row["input"]["differences"].get<std::vector<double>>());
      check_value(field(got, &SignFlips::extreme), row["expected"]["extreme"], tolerance);
      check_value(field(got, &SignFlips::total), row["expected"]["total"], tolerance);
      check_value(field(got, &SignFlips::p), row["expected"]["p"], tolerance);
    }
  }
  if (const auto wanted = vectors("nonparametric.json", "monte_carlo_p")) {
    for (const Json& row : (*wanted)["cases"])
      check_value(monte_carlo_p(row["input"]["extreme"], row["input"]["resamples"]), row["expected"]["p"],
                  (*wanted)["tolerance"]);
  }
}

TEST_CASE("adjusted p-values agree with the vectors") {
  const auto wanted = vectors("multiplicity.json", "adjusted_p");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    PValues p;
    for (const Json& value : row["input"]["p"])
      p.push_back(value.is_null() ? std::nullopt : std::optional(value.get<double>()));
    const auto check = [&](const PValues& got, const Json& expected) {
      REQUIRE(got.size() == expected.size());
      for (std::size_t i = 0; i < got.size(); ++i) check_value(got[i], expected[i], (*wanted)["tolerance"]);
    };
    check(holm(p), row["expected"]["holm"]);
    check(hochberg(p), row["expected"]["hochberg"]);
    check(benjamini_hochberg(p), row["expected"]["bh"]);
    check(benjamini_yekutieli(p), row["expected"]["by"]);
    check(bonferroni(p), row["expected"]["bonferroni"]);
  }
}

TEST_CASE("sample sizes agree with the vectors") {
  const auto wanted = vectors("power.json", "mcnemar_sample_size");
  if (!wanted) return;
  for (const Json& row : (*wanted)["cases"]) {
    INFO(row.dump());
    const Json &in = row["input"], &expected = row["expected"];
    const PairedRates rates{in["p10"], in["p01"]};
    const PowerOptions options{in["alpha"], in["power"]};
    const auto connor = connor_pairs(rates, options), miettinen = miettinen_pairs(rates, options);
    check_value(connor, expected["connor"], (*wanted)["tolerance"]);
    check_value(miettinen, expected["miettinen"], (*wanted)["tolerance"]);
    if (connor) CHECK(std::ceil(*connor) == expected["connor_pairs"].get<double>());
    if (miettinen) CHECK(std::ceil(*miettinen) == expected["miettinen_pairs"].get<double>());
  }
}

TEST_CASE("power and detectable differences agree with the vectors") {
  if (const auto wanted = vectors("power.json", "mcnemar_power")) {
    const Json& tolerance = (*wanted)["tolerance"];
    for (const Json& row : (*wanted)["cases"]) {
      INFO(row.dump());
      const Json &in = row["input"], &expected = row["expected"];
      const McNemarPower got = mcnemar_power(in["n"], {in["p10"], in["p01"]}, in["alpha"]);
      check_value(got.connor, expected["connor"], tolerance);
      check_value(got.connor_two_tails, expected["connor_two_tails"], tolerance);
      check_value(got.exact, expected["exact"], tolerance);
      check_value(got.exact_mid_p, expected["exact_mid_p"], tolerance);
    }
  }
  if (const auto wanted = vectors("power.json", "minimum_detectable_difference")) {
    const Json& tolerance = (*wanted)["tolerance"];
    for (const Json& row : (*wanted)["cases"]) {
      INFO(row.dump());
      const Json &in = row["input"], &expected = row["expected"];
      const PowerOptions options{in["alpha"], in["power"]};
      const double sd = in["sd"].is_null() ? 0 : in["sd"].get<double>();
      check_value(detectable_gap(in["n"], in["discordant_share"], options), expected["mcnemar"], tolerance);
      check_value(detectable_mean_normal(in["n"], sd, options), expected["normal"], tolerance);
      check_value(detectable_mean_t(in["n"], sd, options), expected["t"], tolerance);
    }
  }
}

}  // namespace micius
