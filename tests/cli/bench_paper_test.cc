// `micius bench paper`: how the paper's tables are put together from parts, by hand.
#include "cli/bench_paper.h"

#include <catch2/catch.hpp>

#include "cli/program.h"
#include "temp_dir.h"

namespace micius {
namespace {

// A layer of STD takes 10 us a context token, of Sigma 6 and 4,096 us of AugQ; copies take as long again.
PaperTimes times_of_lines() {
  const auto line = [](double a_token) { return Curve{{0, 1000}, {0, 1000 * a_token}}; };
  PaperTimes times;
  times.layers = 2;
  times.head = 5e-3;
  times.standard = {line(10e-6), line(10e-6), line(10e-6), 0, 20e-3};
  times.sigma = {line(6e-6), line(6e-6), line(6e-6), 4096e-6, 18e-3};
  return times;
}

TEST_CASE("a curve is lines between what was measured", "[paper]") {
  const Curve curve{{0, 10, 30}, {1, 2, 6}};
  CHECK(curve.at(0) == Approx(1));
  CHECK(curve.at(5) == Approx(1.5));
  CHECK(curve.at(10) == Approx(2));
  CHECK(curve.at(20) == Approx(4));
  CHECK(curve.at(40) == Approx(8));
  CHECK(curve.sum(9, 3) == Approx(1.9 + 2 + 2.2));
  CHECK(curve.sum(9, 0) == 0);
}

TEST_CASE("the paper's sums are of all layers and the head", "[paper]") {
  const PaperTimes times = times_of_lines();
  const auto at_end = [&](const PaperModel& model, KvCost cost, PaperSum sum) {
    return paper_curve(times, model, cost, sum).at(1000);
  };
  CHECK(at_end(times.standard, KvCost::kInPlace, PaperSum::kAttentionLayer) == Approx(20e-3));
  CHECK(at_end(times.sigma, KvCost::kInPlace, PaperSum::kAttentionLayer) == Approx(20.192e-3));
  CHECK(at_end(times.sigma, KvCost::kCopied, PaperSum::kAttentionLayer) == Approx(32.192e-3));
  CHECK(at_end(times.standard, KvCost::kInPlace, PaperSum::kWholeStep) == Approx(65e-3));
  CHECK(at_end(times.sigma, KvCost::kInPlace, PaperSum::kWholeStep) == Approx(61.192e-3));
}

TEST_CASE("the crossing is where Sigma is not slower from then on", "[paper]") {
  const auto curve = [](std::vector<double> seconds) { return Curve{{0, 100, 200}, std::move(seconds)}; };
  CHECK(crossing(curve({2, 3, 4}), curve({1, 3.5, 6})) == Approx(100.0 * 2 / 3));
  CHECK(crossing(curve({2, 3, 4}), curve({1, 2, 5})) == Approx(150));
  CHECK(crossing(curve({2, 3, 4}), curve({1, 2.5, 3.75})) == Approx(300));  // on the line behind the last
  CHECK(crossing(curve({1, 2, 3}), curve({1, 2, 3})) == Approx(0));
  CHECK(crossing(curve({2, 3, 9}), curve({3, 2, 8})) == std::nullopt);
}

TEST_CASE("bench paper prints savings, kernels and crossings", "[paper]") {
  const std::string text = paper_text(times_of_lines());
  // 6 c + 4,096 = 10 c; with the copy 12 c + 4,096 = 20 c; with the other matrices 22,096 + 6 c = 20,000 + 10
  // c.
  CHECK_THAT(text, Catch::Contains("- attention layer, cache in place: from a context of 1024 on\n"));
  CHECK_THAT(text, Catch::Contains("- attention layer, cache copied: from a context of 512 on\n"));
  CHECK_THAT(text, Catch::Contains("- whole step, cache in place: from a context of 524 on\n"));
  CHECK_THAT(text, Catch::Contains("| 1000 | 20.00 / 12.00 | 20.00 / 12.00 | 8.19 | 45.00 / 41.00 | 65.00 / "
                                   "61.19 | 0.941 |\n"));
  // Mean contexts of 1,023.5, 3,071.5 and 98,303.5 tokens.
  CHECK_THAT(text, Catch::Contains("| 2048 | -0.0 % | +26.7 % |"));
  CHECK_THAT(text, Catch::Contains("| +39.6 % |\n"));
  // 41,005 tokens are read by the ten from 4,096 on: 20 us each in STD's two layers, 12 in Sigma's.
  CHECK_THAT(text, Catch::Contains("| 4096 | 8.2e+08 | 4.92e+08 | +40.0 % | +18.0 % |\n"));
}

TEST_CASE("bench paper measures its parts", "[paper][.slow]") {
  const TempDir folder;
  const auto outcome = run_micius(folder.path(), {}, {"bench", "paper", "-d", "0,64", "-r", "1"});
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Catch::Contains("weights Q4_1") && Catch::Contains("KET, attention of ten tokens"));
  CHECK_THAT(run_micius(folder.path(), {}, {"bench", "paper", "-d", "64,0"}).err,
             Catch::Contains("each longer than the one before"));
}

}  // namespace
}  // namespace micius
