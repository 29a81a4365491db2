#include "tasks/nl2kql.h"

#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/text.h"
#include "datasets/registry.h"
#include "source_tree.h"
#include "tasks/registry.h"
#include "tasks/schema_context.h"

namespace micius {
namespace {

TaskOptions options() {
  TaskOptions result;
  result.roots.share = source_tree();
  return result;
}

std::vector<Sample> samples_of(const Task& task) {
  const auto dataset = dataset_registry().get(task.dataset.name)(task.dataset, options().roots);
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < dataset->size(); ++i) samples.push_back(task.prepare(dataset->at(i)));
  return samples;
}

std::vector<Message> messages_of(const Task& task, const Sample& sample, std::span<const Sample> shots = {}) {
  return std::get<GenerateInput>(task.next(sample, shots, {})->input).messages;
}

std::string text_of(const Task& task, const Sample& sample) {
  return messages_of(task, sample).back().content;
}

// The lines between the instruction and the request.
std::vector<std::string> context_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("cluster(")) lines.emplace_back(line);
  }
  return lines;
}

Sample small_sample() {
  Sample sample;
  sample.id = "nl2kql-test-facility-0000";
  sample.input = "How full are the racks?";
  sample.extra = {{"query", "cluster(\"fleetops\").database('facility').RackInventory"},
                  {"databases", {"facility"}},
                  {"tables", {"RackInventory"}},
                  {"columns", Json::array()}};
  return sample;
}

}  // namespace

TEST_CASE("nl2kql asks with the context that its name says") {
  const std::string instruction =
      "Write one Kusto (KQL) query for the request. Answer with the query only.\n\n";
  Task none = task_registry().get("nl2kql:none")(options());
  const Sample sample = none.prepare(small_sample());
  CHECK(none.name == "nl2kql:none");
  CHECK(text_of(none, sample) == instruction + "Request: How full are the racks?");
  Task gold = task_registry().get("nl2kql:gold")(options());
  CHECK(text_of(gold, sample) ==
        instruction +
            "cluster(\"fleetops\").database(\"facility\").RackInventory(TimeGenerated:datetime, "
            "RackId:string, Site:string, Row:string, Position:int, RackModel:string, NodeCount:int, "
            "CapacityKw:real, CoolingType:string, State:string, Sku:string, InstallDate:datetime)\n\n"
            "Request: How full are the racks?");
  CHECK(gold.metrics.front().name == "names");
  CHECK_FALSE(gold.next(sample, {}, std::vector<Turn>(1)));
}

TEST_CASE("nl2kql fills the budget and no more") {
  const Task task = task_registry().get("nl2kql")(options());
  const auto tables = read_suite_schema(source_tree() / "datasets/aimicius/nl2kql/catalog.json");
  std::set<std::string> known;
  for (const SchemaTable& table : tables) known.insert(table.line);
  std::set<std::size_t> places;  // of a reference's table among the lines
  for (const Sample& sample : samples_of(task)) {
    INFO(sample.id);
    const std::string text = text_of(task, sample);
    CHECK(text == text_of(task, sample));
    const std::vector<std::string> lines = context_lines(text);
    std::size_t bytes = 0;
    for (const std::string& line : lines) {
      bytes += line.size() + 1;
      CHECK(known.contains(line));  // whole
    }
    CHECK(bytes <= 12000);
    CHECK(bytes > 11000);
    CHECK(std::set<std::string>(lines.begin(), lines.end()).size() == lines.size());
    for (const Json& table : sample.extra.at("tables")) {
      const std::string mark = "." + table.get<std::string>() + "(";
      std::size_t at = 0;
      while (at < lines.size() && lines[at].find(mark) == std::string::npos) ++at;
      REQUIRE(at < lines.size());
      places.insert(at);
    }
  }
  CHECK(places.size() > 20);  // it stands anywhere
}

TEST_CASE("a schema that is near goes before one that is far") {
  const SchemaContext schema({{"c", "d", "Gold", {"A", "B"}, "gold"},
                              {"c", "e", "Far", {"X"}, "far"},
                              {"c", "e", "Shares", {"A", "Y"}, "shares"},
                              {"c", "d", "Near", {"Z"}, "near"},
                              {"c", "e", "Asked", {"PowerDraw"}, "asked"}});
  const SchemaRequest request{"id", "the power draw of racks", {"d"}, {"Gold"}, {"A"}};
  const auto has = [&](std::size_t bytes) {
    std::set<std::string> names;
    const std::string lines = schema.budget(request, bytes);
    for (const std::string_view line : split(lines, '\n')) {
      if (!line.empty()) names.emplace(line);
    }
    return names;
  };
  CHECK(has(0) == std::set<std::string>{"gold"});
  CHECK(has(5 + 7) == std::set<std::string>{"gold", "shares"});
  CHECK(has(5 + 7 + 5) == std::set<std::string>{"gold", "shares", "near"});
  CHECK(has(5 + 7 + 5 + 6) == std::set<std::string>{"gold", "shares", "near", "asked"});
  CHECK(has(100).size() == 5);
  CHECK(schema.gold(request) == "gold\n");
}

TEST_CASE("nl2kql shots are turns with one instruction") {
  const Task task = task_registry().get("nl2kql:none")(options());
  Sample shot = task.prepare(small_sample());
  const Sample sample = shot;
  shot.input = "Which racks are there?";
  const auto messages = messages_of(task, sample, std::span(&shot, 1));
  REQUIRE(messages.size() == 3);
  CHECK(
      messages[0].content ==
      "Write one Kusto (KQL) query for the request. Answer with the query only.\n\nRequest: Which racks are "
      "there?");
  CHECK(messages[1].content == shot.targets.front());
  CHECK(messages[2].content == "Request: How full are the racks?");
}

TEST_CASE("nl2kql takes no parameter") {
  TaskOptions wrong = options();
  wrong.params = {{"mode", "gold"}};
  CHECK_THROWS_AS(task_registry().get("nl2kql")(wrong), Error);
}

}  // namespace micius
