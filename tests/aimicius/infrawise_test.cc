// The data of Infrawise with its task and scorer: what the sources give, and how the simplest models score.
#include <functional>
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "scorers/registry.h"
#include "suite.h"
#include "suite_data.h"

namespace micius {
namespace {

using Model = std::function<std::string(std::size_t sample, std::span<const Turn>)>;

// The means of every metric when `model` answers.
std::map<std::string, double> scores(const Task& task, const std::vector<Sample>& samples,
                                     const Model& model) {
  ScorerContext context;
  context.roots = options().roots;
  const auto scorer = scorer_registry().get(task.scorer.name)(task.scorer, context);
  std::map<std::string, double> sums;
  std::map<std::string, std::size_t> counts;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::vector<Turn> turns;
    while (auto prompt = task.next(samples[i], {}, turns)) {
      Turn& turn = turns.emplace_back();
      turn.prompt = *std::move(prompt);
      turn.completion.text = model(i, std::span(turns).first(turns.size() - 1));
      turn.observation = scorer->observe(samples[i], turns);
    }
    for (const Value& value : scorer->score(samples[i], turns).values) {
      sums[value.metric] += value.value;
      ++counts[value.metric];
    }
  }
  for (auto& [metric, sum] : sums) sum /= static_cast<double>(counts[metric]);
  return sums;
}

}  // namespace

TEST_CASE("the suite's files are what their sources give") {
  for (const auto& [path, bytes] : aimicius::build(kSuite)) {
    INFO(path << ": `micius-data build` makes it again");
    CHECK(read_file(kSuite / path) == bytes);
  }
  CHECK(read_file(kSuite / "SHA256SUMS") == aimicius::checksums(kSuite));
}

TEST_CASE("the simplest models score within expected.json") {
  const Task task = task_registry().get("infrawise")(options());
  const std::vector<Sample> samples = samples_of(task);
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < samples.size(); ++i) groups[samples[i].extra.at("group")].push_back(i);
  const std::string dcw =
      R"({"Design": {"Target": "H100", "Baseline": ""}, "Criterion": "default", "Workload": "BERT-Large inference"})";
  const std::map<std::string, Model> models = {
      {"reference",
       [&](std::size_t i, std::span<const Turn> turns) { return task.reference(samples[i], turns); }},
      {"empty", [](std::size_t, std::span<const Turn>) { return std::string(); }},
      {"random",
       [&](std::size_t i, std::span<const Turn> turns) {
         const auto& group = groups.at(samples[i].extra.at("group"));
         return task.reference(samples[group[(i * 7919 + 1) % group.size()]], turns);
       }},
      {"constant",
       [&](std::size_t, std::span<const Turn> turns) { return turns.empty() ? dcw : std::string("None"); }}};
  const Json expected = parse_json(read_file(kSuite / "expected.json"), "expected.json");
  for (const auto& [name, model] : models) {
    const auto values = scores(task, samples, model);
    for (const auto& [metric, band] : expected.at("infrawise").at(name).items()) {
      INFO(name << ": " << metric << " is " << values.at(metric));
      CHECK(values.at(metric) >= band.at(0).get<double>());
      CHECK(values.at(metric) <= band.at(1).get<double>());
    }
  }
}

TEST_CASE("naming every record recalls all and is never right") {
  TaskOptions oracle = options();
  oracle.params = {{"mode", "oracle"}};
  const Task task = task_registry().get("infrawise")(oracle);
  const auto values =
      scores(task, samples_of(task), [](std::size_t, std::span<const Turn>) { return std::string("0-11"); });
  CHECK(values.at("bench_recall") == Approx(0.84).margin(0.01));
  CHECK(values.at("bench_accuracy") == 0);
}

TEST_CASE("what a search finds can be answered, and is seldom what another case asks for") {
  TaskOptions retrieved = options();
  retrieved.params = {{"mode", "retrieved"}};
  const Task task = task_registry().get("infrawise")(retrieved);
  const std::vector<Sample> samples = samples_of(task);
  const auto right = scores(task, samples, [&](std::size_t i, std::span<const Turn> turns) {
    return task.reference(samples[i], turns);
  });
  CHECK(right.at("bench_accuracy") == 1);
  CHECK(right.at("recall_at_10") == Approx(0.643).margin(0.001));
  const auto other = scores(task, samples, [&](std::size_t i, std::span<const Turn> turns) {
    return task.reference(samples[(i * 7919 + 1) % samples.size()], turns);
  });
  CHECK(other.at("bench_accuracy") == Approx(0.219).margin(0.01));
}

TEST_CASE("every case carries the canary and its own id") {
  const std::string canary = read_file(kSuite / "CANARY.txt");
  std::set<std::string> ids;
  for (const char* split : {"test", "dev", "tuning", "robust"}) {
    const std::string path = fmt::format("infrawise/{}.jsonl", split);
    for_each_line(read_file(kSuite / path), [&](std::string_view line, std::size_t) {
      const Json item = parse_json(line, path);
      CHECK(canary.find(item.at("canary").get<std::string>()) != std::string::npos);
      CHECK(ids.insert(item.at("id")).second);
    });
  }
  CHECK(ids.size() == 960 + 60 + 500 + 400);
}

TEST_CASE("a broken rule fails the build") {
  const SuiteCopy copy({"CANARY.txt", "README.md", "infrawise/vocabulary.json", "infrawise/phrasings.json",
                        "infrawise/pool.jsonl"});
  const auto message_after = [&copy](const char* file, const std::string& from, const std::string& to) {
    return copy.message_after(file, from, to, [](const auto& folder) { aimicius::build(folder); });
  };
  const char* phrasings = "infrawise/phrasings.json";
  CHECK_THAT(
      message_after(phrasings, "Did anyone run LINPACK on the MI300X?", "Did anyone run LINPACK on the T4?"),
      Catch::Contains("does not name MI300x"));
  CHECK_THAT(
      message_after(phrasings, "What is the L40S capable of?", "What is the L40S capable of, or the T4?"),
      Catch::Contains("names t4 as well"));
  CHECK_THAT(message_after(phrasings, "Tell me something about the B200.", "Tell me about the cheap B200."),
             Catch::Contains("has a word for 'cost effectiveness'"));
  CHECK_THAT(message_after(phrasings, "How good is {the} at {doing}?", "What does {the} reach in {noun}?"),
             Catch::Contains("too near"));
  CHECK_THAT(message_after(phrasings, "{noun} on {bare}: any data?", "{noun} on {bar}: any data?"),
             Catch::Contains("no slot 'bar' (did you mean 'bare'?)"));
  CHECK_THAT(message_after("infrawise/vocabulary.json", R"("match": ["mpt 7b llm training*"])",
                           R"("match": ["mpt 7b *", "mpt 3b *"])"),
             Catch::Contains("the second predicate finds"));
}

TEST_CASE("a twin has the same quotas and other draws") {
  const std::string twin = aimicius::build_twin(kSuite, "1");
  CHECK(twin != read_file(kSuite / "infrawise/test.jsonl"));
  std::size_t cases = 0, curated = 0;
  for_each_line(twin, [&](std::string_view line, std::size_t) {
    ++cases;
    if (line.find("\"curated\"") != std::string_view::npos) ++curated;
  });
  CHECK(cases == 960);
  CHECK(curated == 0);
}

}  // namespace micius
