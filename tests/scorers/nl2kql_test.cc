#include "scorers/nl2kql.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "core/names.h"
#include "kql/parser.h"
#include "scorers/extract.h"
#include "source_tree.h"

namespace micius {
namespace {

std::unique_ptr<Scorer> scorer(const Json& params = Json::object()) {
  ScorerContext context;
  context.roots.share = source_tree();
  return scorer_registry().get("nl2kql")({"nl2kql", params}, context);
}

Score judge(const Scorer& scorer, const std::string& reference, const std::string& answer) {
  Sample sample;
  sample.id = "nl2kql-test-fabric-0000";
  sample.targets = {reference};
  std::vector<Turn> turns(1);
  turns[0].completion.text = answer;
  return scorer.score(sample, turns);
}

const Value* find(const Score& score, const std::string& metric) {
  const auto it = std::find_if(score.values.begin(), score.values.end(),
                               [&](const Value& value) { return value.metric == metric; });
  return it == score.values.end() ? nullptr : &*it;
}

std::string repeated(const std::string& part, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += part;
  return text;
}

}  // namespace

TEST_CASE("nl2kql scores as the table says") {
  const std::string path = (source_tree() / "tests/scorers/nl2kql.jsonl").string();
  const auto judge_of = scorer();
  std::size_t rows = 0;
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, path);
    INFO("line " << number << ": " << row.at("name"));
    const Score score = judge(*judge_of, row.at("reference"), row.at("answer"));
    INFO(score.answer << " / " << score.reason);
    if (row.contains("verdict")) CHECK(name_of(score.verdict) == row.at("verdict").get<std::string>());
    for (const auto& [metric, wanted] : row.at("values").items()) {
      INFO(metric);
      const Value* value = find(score, metric);
      REQUIRE(value != nullptr);
      CHECK(value->value == Approx(wanted.get<double>()));
    }
    if (row.contains("absent")) {
      for (const Json& metric : row.at("absent")) CHECK(find(score, metric) == nullptr);
    }
    ++rows;
  });
  CHECK(rows > 30);
}

TEST_CASE("a KQL query is read out of an answer") {
  const std::string path = (source_tree() / "tests/scorers/query.jsonl").string();
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, path);
    INFO("line " << number << ": " << row.at("name"));
    const auto query = read_query(
        row.at("text").get<std::string>(), [](std::string_view text) { return !kql::parse(text).error; },
        [](std::string_view word) { return word == "SyslogData"; });
    CHECK(query == (row.at("query").is_null() ? std::nullopt : std::optional<std::string>(row.at("query"))));
  });
}

TEST_CASE("nl2kql values stand in the order of the task's metrics") {
  const std::string query = "cluster(\"fleetnet\").database('fabric').SyslogData | distinct Device";
  std::vector<std::string> names;
  for (const Value& value : judge(*scorer(), query, query).values) names.push_back(value.metric);
  CHECK(names == scorer()->metrics());
}

TEST_CASE("nl2kql takes any answer in linear time") {
  const auto judge_of = scorer();
  const std::string reference = "cluster(\"fleetnet\").database('fabric').SyslogData | distinct Device";
  constexpr std::size_t kBytes = 1 << 19;
  for (const std::string& text :
       {repeated("(", kBytes), repeated("SyslogData | where Device == 'a' and ", kBytes),
        "SyslogData" + repeated(" | take 1", kBytes), repeated("cluster(\u201c", kBytes),
        "SyslogData\n" + repeated("| where A_A_A in (\n", kBytes), "print " + repeated("a_", kBytes),
        "union " + repeated("*a*b*c, ", kBytes) + "T", repeated("\xff", kBytes), repeated("```\n", kBytes),
        "SyslogData | where Device == \"" + repeated("x", kBytes), repeated("let a = 1;\n", kBytes),
        repeated("[\"", kBytes), std::string(kBytes, '\0'), repeated("database('x').", kBytes)}) {
    INFO(text.substr(0, 40));
    const auto begin = std::chrono::steady_clock::now();
    const Score score = judge(*judge_of, reference, text);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    CHECK(took.count() < 60);  // a quadratic reading of half a megabyte takes hours
    CHECK(score.verdict != Verdict::kCorrect);
    CHECK(score.answer.size() + score.reason.size() < 40000);
  }
}

TEST_CASE("nl2kql does not score a sample whose schema is not there") {
  Sample sample;
  sample.targets = {"T | count"};
  sample.extra = {{"database", "AzureMonitor"}};
  std::vector<Turn> turns(1);
  turns[0].completion.text = "T | count";
  const Score score = scorer({{"catalog", "public"}})->score(sample, turns);
  CHECK(score.verdict == Verdict::kUnscored);
  CHECK(score.values.empty());
  CHECK(score.reason == "schemas.json has no database \"AzureMonitor\"");
}

TEST_CASE("nl2kql names the catalogs it knows") {
  CHECK_THROWS_WITH(scorer({{"catalog", "publik"}}),
                    "scorer 'nl2kql': unknown catalog 'publik' (did you mean 'public'?); known: aimicius, "
                    "public");
}

}  // namespace micius
