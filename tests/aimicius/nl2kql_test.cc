// The data of NL2KQL with its task and scorer: what the sources give, and how the simplest models score.
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "kql/names.h"
#include "kql/parser.h"
#include "nl2kql_files.h"
#include "scorers/registry.h"
#include "shared_files.h"
#include "suite_data.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

using Model = std::function<std::string(std::size_t sample)>;

// The means of every metric when `model` answers.
std::map<std::string, double> scores(const Task& task, const std::vector<Sample>& samples,
                                     const DataRoots& roots, const Model& model) {
  ScorerContext context;
  context.roots = roots;
  const auto scorer = scorer_registry().get(task.scorer.name)(task.scorer, context);
  std::map<std::string, double> sums;
  std::map<std::string, std::size_t> counts;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::vector<Turn> turns(1);
    turns[0].completion.text = model(i);
    for (const Value& value : scorer->score(samples[i], turns).values) {
      sums[value.metric] += value.value;
      ++counts[value.metric];
    }
  }
  for (auto& [metric, sum] : sums) sum /= static_cast<double>(counts[metric]);
  return sums;
}

}  // namespace

TEST_CASE("NL2KQL's files are what their sources give") {
  for (const auto& [path, bytes] : aimicius::build_nl2kql(kSuite)) {
    INFO(path << ": `micius-data build --only nl2kql` makes it again");
    CHECK(read_file(kSuite / path) == bytes);
  }
}

TEST_CASE("the simplest models score within expected.json on NL2KQL") {
  const Task task = task_registry().get("nl2kql")(options());
  const std::vector<Sample> samples = samples_of(task);
  CHECK(samples.size() == 512);
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < samples.size(); ++i) groups[samples[i].extra.at("group")].push_back(i);
  const std::map<std::string, Model> models = {
      {"reference", [&](std::size_t i) { return samples[i].targets.front(); }},
      {"verbose",
       [&](std::size_t i) {
         return "This should do it:\n\n```kql\n" + samples[i].targets.front() +
                "\n```\n\nIt reads one table.";
       }},
      {"empty", [](std::size_t) { return std::string(); }},
      {"random",
       [&](std::size_t i) {
         const auto& group = groups.at(samples[i].extra.at("group"));
         return samples[group[(i * 7919 + 1) % group.size()]].targets.front();
       }},
      {"constant", [](std::size_t) { return std::string("SyslogData | take 10"); }},
      {"parrot", [&](std::size_t i) { return samples[i].input; }},
      {"echo", [&](std::size_t i) {
         return std::get<GenerateInput>(task.next(samples[i], {}, {})->input).messages.back().content;
       }}};
  const Json expected = parse_json(read_file(kSuite / "expected.json"), "expected.json");
  for (const auto& [name, model] : models) {
    const auto values = scores(task, samples, options().roots, model);
    for (const auto& [metric, band] : expected.at("nl2kql").at(name).items()) {
      INFO(name << ": " << metric << " is " << values.at(metric));
      CHECK(values.at(metric) >= band.at(0).get<double>());
      CHECK(values.at(metric) <= band.at(1).get<double>());
    }
  }
}

TEST_CASE("every case of NL2KQL carries the canary, its own id and the names of its query") {
  const std::string canary = read_file(kSuite / "CANARY.txt");
  std::set<std::string> ids, columns;
  const Json catalog = parse_json(read_file(kSuite / "nl2kql/catalog.json"), "catalog.json");
  std::size_t tables = 0, typed = 0, databases = 0;
  for (const Json& cluster : catalog.at("clusters")) {
    for (const Json& database : cluster.at("databases")) {
      ++databases;
      for (const Json& table : database.at("tables")) {
        ++tables;
        for (const std::string& column : table.at("columns").get<std::vector<std::string>>()) {
          ++typed;
          columns.insert(column.substr(0, column.find(':')));
        }
      }
    }
  }
  CHECK(catalog.at("clusters").size() == 4);
  CHECK(databases == 9);
  CHECK(tables == 52);
  CHECK(typed == 674);
  std::map<std::string, std::size_t> sources;
  for (const char* split : {"test", "dev", "tuning", "robust"}) {
    const std::string path = fmt::format("nl2kql/{}.jsonl", split);
    for_each_line(read_file(kSuite / path), [&](std::string_view line, std::size_t) {
      const Json item = parse_json(line, path);
      ++sources[split + item.at("source").get<std::string>()];
      const std::string query = item.at("query");
      const kql::Tree tree = kql::parse(query);
      kql::Names names = kql::names_of(tree);
      std::erase_if(names.columns, [&](const std::string& name) { return !columns.contains(name); });
      const bool right = !tree.error && item.at("clusters") == names.clusters &&
                         item.at("databases") == names.databases && item.at("tables") == names.tables &&
                         item.at("columns") == names.columns && !names.clusters.empty() &&
                         !names.databases.empty() && !names.tables.empty() &&
                         canary.find(item.at("canary").get<std::string>()) != std::string::npos &&
                         ids.insert(item.at("id")).second;
      INFO(line);
      if (!right) CHECK(right);  // one line a broken case, and not 6,000 assertions
    });
  }
  CHECK(sources == std::map<std::string, std::size_t>{{"testcurated", 180},
                                                      {"testgenerated", 332},
                                                      {"devgenerated", 60},
                                                      {"tuninggenerated", 5200},
                                                      {"robustgenerated", 400}});
}

TEST_CASE("the published pairs can be answered") {
  const fs::path data = data_folder();
  if (!fs::exists(data / "nl2kql/pairs.jsonl")) {
    WARN("skipped: no nl2kql/pairs.jsonl in the data folder");
    return;
  }
  const TaskOptions own = options(data);
  const Task task = task_registry().get("nl2kql-public")(own);
  const std::vector<Sample> samples = samples_of(task, own.roots);
  CHECK(samples.size() == 537);
  const auto right =
      scores(task, samples, own.roots, [&](std::size_t i) { return samples[i].targets.front(); });
  for (const char* metric :
       {"names", "syntax_accuracy", "similarity", "table", "column", "cluster", "database"}) {
    INFO(metric);
    CHECK(right.at(metric) == 1);
  }
  CHECK(right.at("schema_valid") > 0.97);  // a few create names in ways that a tree alone does not tell
  const auto none = scores(task, samples, own.roots, [](std::size_t) { return std::string(); });
  for (const auto& [metric, value] : none) CHECK(value == 0);
  for (const Sample& sample : samples) {
    const auto prompt = task.next(sample, {}, {});
    const std::string& text = std::get<GenerateInput>(prompt->input).messages.back().content;
    for (const Json& table : sample.extra.at("tables"))
      CHECK(text.find(table.get<std::string>() + "(") != std::string::npos);
  }
}

TEST_CASE("a broken rule fails NL2KQL's build") {
  const SuiteCopy copy({"CANARY.txt", "nl2kql/README.md", "nl2kql/catalog.json", "nl2kql/intents.json",
                        "nl2kql/phrasings.json", "nl2kql/curated.jsonl"});
  const auto message_after = [&copy](const char* file, const std::string& from, const std::string& to) {
    return copy.message_after(file, from, to, [](const auto& folder) { aimicius::build_nl2kql(folder); });
  };
  const char* curated = "nl2kql/curated.jsonl";
  CHECK_THAT(
      message_after(curated, "$fabric.SyslogData | where TIMESTAMP > ago(1d) | where Device startswith",
                    "$fabric.SyslogDate | where TIMESTAMP > ago(1d) | where Device startswith"),
      Catch::Contains("curated.jsonl:1: no table fabric.SyslogDate"));
  CHECK_THAT(message_after(curated, "distinct Device, DeviceIp", "distinct Device DeviceIp"),
             Catch::Contains("curated/001"));
  CHECK_THAT(message_after(curated, "distinct Device, DeviceIp", "distinct Device, NodeName"),
             Catch::Contains("none of its tables has a column 'NodeName'"));
  CHECK_THAT(message_after(curated, "extend DeltaT = ReturnTempC - SupplyTempC | summarize avg(DeltaT)",
                           "extend PowerKw = ReturnTempC - SupplyTempC | summarize avg(PowerKw)"),
             Catch::Contains("PowerKw"));
  CHECK_THAT(
      message_after("nl2kql/phrasings.json", "KPI, count of {rows} where", "KPI, count of {row5} where"),
      Catch::Contains("has no slot 'row5'"));
  CHECK_THAT(message_after("nl2kql/intents.json", "| distinct {ent}, {cat}", "| distinct {ent} {cat}"),
             Catch::Contains("distinct-pairs|"));
  CHECK_THAT(message_after("nl2kql/catalog.json", "\"NodeName:string\", \"CheckName:string\"",
                           "\"NodeName:string\", \"NodeName:string\""),
             Catch::Contains("has 'NodeName:string' twice"));
}

TEST_CASE("a twin of NL2KQL has other draws and no curated cases") {
  const std::string twin = aimicius::build_nl2kql_twin(kSuite, "1");
  std::set<std::string> queries;
  for_each_line(read_file(kSuite / "nl2kql/test.jsonl"), [&](std::string_view line, std::size_t) {
    queries.insert(parse_json(line, "test").at("query"));
  });
  std::size_t cases = 0, same = 0;
  for_each_line(twin, [&](std::string_view line, std::size_t) {
    ++cases;
    same += queries.count(parse_json(line, "twin").at("query"));
    CHECK(line.find("\"curated\"") == std::string_view::npos);
  });
  CHECK(cases == 512);
  CHECK(same < 20);
}

}  // namespace micius
