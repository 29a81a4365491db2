// The data of Optiflow: what its sources give, and that every program prints the plan it is said to.
#include "optiflow.h"

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "datasets/registry.h"
#include "optiflow_files.h"
#include "plan/bound.h"
#include "plan/cost.h"
#include "sandbox/open_sandbox.h"
#include "scorers/registry.h"
#include "source_tree.h"
#include "suite.h"
#include "tasks/registry.h"
#include "temp_dir.h"

namespace micius::aimicius::optiflow {
namespace {

namespace fs = std::filesystem;

const fs::path kSuite = source_tree() / "datasets/aimicius";
const Split kSplits[] = {Split::kTest, Split::kDev, Split::kTuning};

TaskOptions task_options() {
  TaskOptions options;
  options.roots.share = source_tree();
  return options;
}

// In the long form, as the task makes it.
std::vector<Json> cases_in(Split split) {
  const Task task = task_registry().get("optiflow")(task_options());
  const std::string name = fmt::format("optiflow/{}.jsonl", name_of(split));
  std::vector<Json> cases;
  for_each_line(read_file(kSuite / name), [&](std::string_view line, std::size_t number) {
    Sample sample;
    sample.extra = parse_json(line, fmt::format("{}:{}", name, number));
    sample.id = sample.extra.at("id");
    cases.push_back(task.prepare(std::move(sample)).extra);
  });
  return cases;
}

// Runs each program as the scorer's wrapper does and writes what it prints as one JSON line.
const char* const kDriver = R"(
import contextlib, io, json, sys
matrix = lambda rows: [[float('inf') if x is None else x for x in row] for row in rows]
with open(sys.argv[1]) as jobs, open(sys.argv[2], 'w') as out:
    for line in jobs:
        job = json.loads(line)
        machine = job['machine']
        names = {'__name__': '__main__', 'GPU_COUNT': machine['gpus'], 'CHUNKS_PER_GPU': job['chunks'],
                 'LATENCY': matrix(machine['latency_us']), 'BANDWIDTH': matrix(machine['bandwidth_gbps'])}
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(job['program'], 'answer', 'exec'), names)
        out.write(json.dumps(printed.getvalue()) + '\n')
)";

struct Job {
  std::string what;
  const Json* item;
  std::string program;
  std::int64_t latency_ps;
};

// Do the programs print plans of the latency that the case names?
void check_programs(const std::vector<Job>& jobs) {
  const TempDir folder;
  std::string lines;
  for (const Job& job : jobs) {
    lines += dump_json({{"program", job.program},
                        {"chunks", job.item->at("chunks_per_gpu")},
                        {"machine", job.item->at("machine")}}) +
             "\n";
  }
  write_file_atomic(folder.path() / "jobs", lines);
  write_file_atomic(folder.path() / "driver.py", kDriver);
  const ProcessResult ran =
      run_process({"python3", "-I", "-S", "-B", (folder.path() / "driver.py").string(),
                   (folder.path() / "jobs").string(), (folder.path() / "out").string()});
  INFO(ran.output);
  REQUIRE(ran.exit_code == 0);
  std::size_t at = 0;
  for_each_line(read_file(folder.path() / "out"), [&](std::string_view line, std::size_t) {
    const Job& job = jobs.at(at++);
    INFO(job.what);
    const int chunks = job.item->at("chunks_per_gpu");
    const plan::Machine machine = plan::Machine::from_json(job.item->at("machine"), job.what);
    const plan::CostModel model(machine, chunks, job.item->at("bytes_per_gpu").get<std::int64_t>() / chunks,
                                job.what);
    const plan::Outcome outcome = model.run(plan::read_plan(parse_json(line, job.what).get<std::string>()));
    CHECK(outcome.error == "");
    CHECK(outcome.latency_ps == job.latency_ps);
    CHECK(outcome.redundant == 0);
    CHECK(plan::lower_bound(model)->ps == job.item->at("bound_ps"));
  });
  CHECK(at == jobs.size());
}

bool no_python() {
  try {
    return run_process({"python3", "--version"}).exit_code != 0;
  } catch (const std::exception&) {
    return true;
  }
}

// The programs of every case.
void check_split(Split split) {
  constexpr std::size_t kBatch = 500;
  const std::vector<Json> cases = cases_in(split);
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (const std::string field : {"initial", "first", "best"}) {
      if (!cases[i].contains(field)) continue;
      jobs.push_back({cases[i].at("id").get<std::string>() + ": " + field, &cases[i], cases[i].at(field),
                      cases[i].at(field + "_ps")});
    }
    if (jobs.size() < kBatch && i + 1 < cases.size()) continue;
    check_programs(jobs);
    jobs.clear();
  }
}

class Lent final : public Services {
 public:
  explicit Lent(Sandbox& sandbox) : sandbox_(sandbox) {}
  Offer<Sandbox> sandbox() override { return {&sandbox_, ""}; }
  Offer<Embedder> embedder() override { return {nullptr, "none here"}; }

 private:
  Sandbox& sandbox_;
};

using Model = std::function<std::string(const Task& task, const Sample& sample, std::span<const Turn> turns)>;

// The means of every metric over each 16th test case when `model` answers.
std::map<std::string, double> scores(const Model& model, Services& services) {
  const TaskOptions options = task_options();
  const Task task = task_registry().get("optiflow")(options);
  const auto dataset = dataset_registry().get(task.dataset.name)(task.dataset, options.roots);
  const auto scorer = scorer_registry().get("optiflow")(task.scorer, {options.roots, "", &services});
  std::map<std::string, std::pair<double, double>> sums;
  for (std::size_t i = 0; i < dataset->size(); i += 16) {
    const Sample sample = task.prepare(dataset->at(i));
    std::vector<Turn> turns;
    while (auto prompt = task.next(sample, {}, turns)) {
      Completion completion;
      completion.text = model(task, sample, turns);
      turns.push_back({*std::move(prompt), std::move(completion), ""});
      turns.back().observation = scorer->observe(sample, turns);
    }
    for (const Value& value : scorer->score(sample, turns).values) {
      sums[value.metric].first += value.value;
      sums[value.metric].second += 1;
    }
  }
  std::map<std::string, double> means;
  for (const auto& [metric, sum] : sums) means[metric] = sum.first / sum.second;
  return means;
}

}  // namespace

TEST_CASE("Optiflow's simplest models score within expected.json", "[.slow]") {
  const SandboxOffer offer = open_test_sandbox(1);
  if (!offer.sandbox) {
    WARN("skipped: " << offer.why_not);
    return;
  }
  Lent services(*offer.sandbox);
  const std::map<std::string, Model> models = {
      {"reference", [](const Task& task, const Sample& sample,
                       std::span<const Turn> turns) { return task.reference(sample, turns); }},
      {"empty", [](const Task&, const Sample&, std::span<const Turn>) { return std::string(); }},
      {"constant", [](const Task& task, const Sample& sample, std::span<const Turn>) {
         return task.reference(sample, {});
       }}};
  const Json expected = parse_json(read_file(kSuite / "expected.json"), "expected.json");
  for (const auto& [name, model] : models) {
    const auto values = scores(model, services);
    for (const auto& [metric, band] : expected.at("optiflow").at(name).items()) {
      INFO(name << ": " << metric << " is " << values.at(metric));
      CHECK(values.at(metric) >= band.at(0).get<double>());
      CHECK(values.at(metric) <= band.at(1).get<double>());
    }
  }
}

TEST_CASE("Optiflow's task and its scorer have the same metrics") {
  const TaskOptions options = task_options();
  const Task task = task_registry().get("optiflow")(options);
  std::vector<std::string> asked;
  for (const MetricInfo& metric : task.metrics) asked.push_back(metric.name);
  CHECK(asked == scorer_registry().get("optiflow")(task.scorer, {options.roots, "", nullptr})->metrics());
}

TEST_CASE("Optiflow's dev split is what its sources give") {
  const Sources sources = read_sources(kSuite);
  std::string lines;
  for (const Case& item : make_split(sources, Split::kDev)) lines += line_of(item, sources);
  CHECK(lines == read_file(kSuite / "optiflow/dev.jsonl"));
}

TEST_CASE("Optiflow's files are what their sources give", "[.slow]") {
  for (const auto& [path, bytes] : build_optiflow(kSuite)) {
    INFO(path << ": `micius-data build` makes it again");
    CHECK(read_file(kSuite / path) == bytes);
  }
}

TEST_CASE("a review shows Optiflow's cases") {
  const std::string text = review_optiflow(kSuite, Split::kDev, 0, 2);
  const Json first = parse_json(
      read_file(kSuite / "optiflow/dev.jsonl").substr(0, read_file(kSuite / "optiflow/dev.jsonl").find('\n')),
      "dev.jsonl");
  CHECK(text.rfind(first.at("id").get<std::string>() + "  dev  ", 0) == 0);
  CHECK(text.find(fmt::format("{} GPUs, {} chunks of", first.at("gpu_count").dump(),
                              first.at("chunks_per_gpu").dump())) != std::string::npos);
  CHECK(text.find(fmt::format("best {:.2f} us ({})", first.at("best_ps").get<double>() / 1e6,
                              first.at("best_by").get<std::string>())) != std::string::npos);
  CHECK(review_optiflow(kSuite, Split::kDev, 40, 2).empty());
  CHECK_THROWS_WITH(review_optiflow(kSuite, Split::kRobust, 0, 1), Catch::Contains("no split 'robust'"));
}

TEST_CASE("a twin of Optiflow has as many cases, others, and keeps the rules", "[.slow]") {
  std::map<std::string, std::size_t> families, twin_families;
  std::set<std::string> keys;
  for (const Json& item : cases_in(Split::kTest)) {
    ++families[item.at("family")];
    keys.insert(item.at("combo").get<std::string>() + "|" + item.at("bytes_per_gpu").dump());
  }
  std::size_t same = 0;
  for_each_line(build_optiflow_twin(kSuite, "one"), [&](std::string_view line, std::size_t) {
    const Json item = parse_json(line, "twin");
    ++twin_families[item.at("family")];
    same += keys.count(item.at("combo").get<std::string>() + "|" + item.at("bytes_per_gpu").dump());
    CHECK(item.at("slice") == "new-graph");
    CHECK(5 * item.at("initial_ps").get<std::int64_t>() > 6 * item.at("best_ps").get<std::int64_t>());
  });
  CHECK(twin_families == families);
  CHECK(same < keys.size() / 4);
}

TEST_CASE("no graph is in two splits, and every case keeps the rules") {
  std::map<std::string, Split> graphs;
  std::set<std::string> ids;
  std::map<Split, std::map<std::string, std::size_t>> counts;
  for (const Split split : kSplits) {
    for (const Json& item : cases_in(split)) {
      const std::string id = item.at("id"), combo = item.at("combo");
      INFO(id);
      CHECK(ids.insert(id).second);
      CHECK(graphs.try_emplace(combo.substr(0, 16), split).first->second == split);
      ++counts[split][item.value("kind", "")];
      const std::int64_t bytes = item.at("bytes_per_gpu"), bound = item.at("bound_ps"),
                         best = item.at("best_ps");
      CHECK(bytes % item.at("chunks_per_gpu").get<std::int64_t>() == 0);
      CHECK(bytes >= 4096);
      CHECK(bytes <= 64 << 20);
      CHECK(bound <= best + 1000);
      if (split == Split::kTuning) {
        const std::string slower = item.contains("first") ? "first_ps" : "initial_ps";
        CHECK(20 * item.at(slower).get<std::int64_t>() >= 21 * best);
      } else {
        CHECK(5 * item.at("initial_ps").get<std::int64_t>() > 6 * best);
        CHECK(item.at("gpu_count") <= 16);
      }
    }
  }
  CHECK(counts[Split::kTest][""] == 1280);
  CHECK(counts[Split::kDev][""] == 40);
  CHECK(counts[Split::kTuning]["generate"] == 5047);
  CHECK(counts[Split::kTuning]["improve"] == 2953);
}

TEST_CASE("renumbered cases take as long as the test cases that they are") {
  std::map<std::string, Json> test;
  for (const Json& item : cases_in(Split::kTest)) test[item.at("id")] = item;
  std::set<std::string> of;
  std::size_t moved = 0;
  for (const Json& item : cases_in(Split::kRobust)) {
    INFO(item.at("id"));
    const Json& before = test.at(item.at("of"));
    CHECK(of.insert(item.at("of")).second);
    for (const char* same : {"best_ps", "bound_ps", "combo", "chunks_per_gpu", "bytes_per_gpu", "family"})
      CHECK(item.at(same) == before.at(same));
    moved += item.at("machine") != before.at("machine") ? 1 : 0;
  }
  CHECK(of.size() == 200);
  CHECK(moved > 100);  // not the single switches
}

TEST_CASE("equal graphs have equal hashes, others not") {
  const Topologies topologies(kSuite / "optiflow/families.json");
  std::set<std::string> hashes;
  for (const NamedMachine& one : topologies.named()) hashes.insert(graph_hash(one.machine));
  CHECK(hashes.size() == topologies.named().size());
  const std::vector<plan::Link> chain = {{0, 1, 500'000, 50'000}, {1, 2, 500'000, 25'000}};
  const std::vector<plan::Link> renumbered = {{2, 0, 500'000, 50'000}, {0, 1, 500'000, 25'000}};
  const std::vector<plan::Link> turned = {{1, 0, 500'000, 50'000}, {2, 1, 500'000, 25'000}};
  const auto hash_of = [](const std::vector<plan::Link>& links) {
    return graph_hash({3, {"a", "b", "c"}, links, "test"});
  };
  CHECK(hash_of(chain) == hash_of(renumbered));
  CHECK(hash_of(chain) != hash_of(turned));
}

TEST_CASE("the programs of the dev and the renumbered cases print their plans") {
  if (no_python()) {
    WARN("skipped: no python3");
    return;
  }
  check_split(Split::kDev);
  check_split(Split::kRobust);
}

TEST_CASE("the programs of all test cases and of all tuning data print their plans", "[.slow]") {
  if (no_python()) {
    WARN("skipped: no python3");
    return;
  }
  check_split(Split::kTest);
  check_split(Split::kTuning);
}

}  // namespace micius::aimicius::optiflow
