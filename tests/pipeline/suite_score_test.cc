#include "pipeline/suite_score.h"

#include <cmath>

#include <catch2/catch.hpp>

namespace micius {
namespace {

Report report_of(const std::string& task, const std::string& model, std::optional<double> value,
                 std::optional<double> error = 0.03) {
  Report report;
  report.spec.task = task;
  report.spec.model.name = model;
  Metric metric;
  metric.name = "acc";
  if (value) {
    metric.estimate.emplace();
    metric.estimate->value = *value;
    metric.estimate->stderr_ = error;
    metric.estimate->n = 100;
  }
  report.metrics = {metric};
  return report;
}

const std::vector<std::string> kTasks = {"a", "b"};

}  // namespace

TEST_CASE("a suite's score is the mean of its primaries") {
  const std::vector<Report> reports = {report_of("a", "m", 0.2, 0.03), report_of("b", "m", 0.6, 0.04)};
  const auto scores = suite_scores(reports, "ab", kTasks);
  REQUIRE(scores.size() == 1);
  CHECK(scores[0].name == "ab");
  CHECK(scores[0].model == "m");
  CHECK(scores[0].reports == std::vector<std::size_t>{0, 1});
  const Estimate& e = *scores[0].metrics.front().estimate;
  CHECK(e.value == Approx(0.4));
  CHECK(e.n == 200);
  CHECK(*e.stderr_ == Approx(0.025));
  CHECK(*e.low == Approx(0.4 - 1.96 * 0.025).epsilon(1e-4));
  CHECK(*e.high == Approx(0.4 + 1.96 * 0.025).epsilon(1e-4));
}

TEST_CASE("only a model with every task of the suite has a score") {
  const std::vector<Report> reports = {report_of("a", "half", 0.2), report_of("a", "open", 0.2),
                                       report_of("b", "open", std::nullopt), report_of("c", "half", 1)};
  CHECK(suite_scores(reports, "ab", kTasks).empty());
}

TEST_CASE("of several runs of a task the last one counts") {
  const std::vector<Report> reports = {report_of("a", "m", 0), report_of("b", "m", 0.5),
                                       report_of("a", "m", 1), report_of("a", "other", 0.1)};
  const auto scores = suite_scores(reports, "ab", kTasks);
  REQUIRE(scores.size() == 1);
  CHECK(scores[0].reports == std::vector<std::size_t>{2, 1});
  CHECK(scores[0].metrics.front().estimate->value == Approx(0.75));
}

TEST_CASE("a score without an error of each task claims no interval") {
  for (const std::optional<double> error : {std::optional<double>{}, std::optional<double>{0.0}}) {
    const std::vector<Report> reports = {report_of("a", "m", 1, error), report_of("b", "m", 0.6)};
    const auto scores = suite_scores(reports, "ab", kTasks);
    REQUIRE(scores.size() == 1);
    CHECK_FALSE(scores[0].metrics.front().estimate->low);
    CHECK_FALSE(scores[0].metrics.front().estimate->stderr_);
  }
}

TEST_CASE("a group's score weighs its tasks by their samples") {
  std::vector<Report> reports = {report_of("a", "m", 0.2, 0.03), report_of("b", "m", 0.6, 0.04)};
  reports[1].metrics[0].estimate->n = 300;
  const auto scores = group_scores(reports, "ab", kTasks);
  REQUIRE(scores.size() == 1);
  CHECK(scores[0].name == "ab");
  CHECK(scores[0].rule == "the mean of its tasks by number of samples");
  REQUIRE(scores[0].metrics.size() == 1);
  CHECK(scores[0].metrics[0].name == "acc");
  const Estimate& e = *scores[0].metrics[0].estimate;
  CHECK(e.value == Approx((0.2 * 100 + 0.6 * 300) / 400));
  CHECK(e.n == 400);
  CHECK(*e.stderr_ ==
        Approx(std::sqrt((99 * 0.03 * 0.03 * 100 + 299 * 0.04 * 0.04 * 300) / (400 - 2) / 400)));
  const double strata = std::sqrt(std::pow(100 * 0.03, 2) + std::pow(300 * 0.04, 2)) / 400;
  CHECK(*e.low == Approx(e.value - 1.959964 * strata));
  CHECK(*e.high == Approx(e.value + 1.959964 * strata));
}

TEST_CASE("a group needs all of its tasks, and a metric all of them have") {
  std::vector<Report> reports = {report_of("a", "m", 0.2), report_of("b", "other", 0.6)};
  CHECK(group_scores(reports, "ab", kTasks).empty());
  reports.push_back(report_of("b", "m", 0.5, std::nullopt));
  Metric more = reports[0].metrics[0];
  more.name = "acc_norm";
  reports[0].metrics.push_back(more);
  const auto scores = group_scores(reports, "ab", kTasks);
  REQUIRE(scores.size() == 1);
  REQUIRE(scores[0].metrics.size() == 1);
  CHECK(scores[0].metrics[0].estimate->value == Approx(0.35));
  CHECK_FALSE(scores[0].metrics[0].estimate->stderr_);
}

TEST_CASE("runs of a group go together only where nothing but the task differs") {
  const auto with_shots = [](const std::string& task, double value, int shots) {
    Report report = report_of(task, "m", value);
    report.spec.shots = shots;
    return report;
  };
  std::vector<Report> reports = {with_shots("a", 0.2, 5), with_shots("b", 0.4, 5), with_shots("b", 0.9, 0)};
  auto scores = group_scores(reports, "ab", kTasks);
  REQUIRE(scores.size() == 1);
  CHECK(scores[0].reports == std::vector<std::size_t>{0, 1});
  reports.push_back(with_shots("a", 0.7, 0));
  scores = group_scores(reports, "ab", kTasks);
  REQUIRE(scores.size() == 1);
  CHECK(scores[0].reports == std::vector<std::size_t>{3, 2});
  for (Report& report : reports) report.spec.dataset.samples = 10;
  reports[2].spec.sample_ids = {"1"};  // one of ten: no company for a run of other length
  reports[3].spec.sample_ids = {"1", "2"};
  scores = group_scores(reports, "ab", kTasks);
  REQUIRE(scores.size() == 1);
  CHECK(scores[0].reports == std::vector<std::size_t>{0, 1});
}

}  // namespace micius
