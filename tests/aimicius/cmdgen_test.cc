// The data of CMDGen with its task and scorer: what the sources give, how the simplest models score, and that
// a command does the same in this process and in the sandbox.
#include "scorers/cmdgen.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/text.h"
#include "cmdgen_apart.h"
#include "cmdgen_files.h"
#include "cmdgen_siblings.h"
#include "embed/engine_embedder.h"
#include "sandbox/sandbox.h"
#include "scorers/extract.h"
#include "scorers/registry.h"
#include "source_tree.h"
#include "suite_data.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

std::vector<Json> cases_in(const std::string& split) {
  const std::string name = fmt::format("cmdgen/{}.jsonl", split);
  std::vector<Json> cases;
  for_each_line(read_file(kSuite / name), [&](std::string_view line, std::size_t number) {
    cases.push_back(parse_json(line, fmt::format("{}:{}", name, number)));
  });
  return cases;
}

// The means of every metric when `model` answers; answers that need a sandbox count as wrong.
std::map<std::string, double> scores(const std::vector<Sample>& samples,
                                     const std::function<std::string(std::size_t)>& model) {
  ScorerContext context;
  context.roots = options().roots;
  const auto scorer = scorer_registry().get("cmdgen")({"cmdgen", Json::object()}, context);
  std::map<std::string, double> sums;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::vector<Turn> turns(1);
    turns[0].completion.text = model(i);
    turns[0].observation = scorer->observe(samples[i], turns);
    for (const Value& value : scorer->score(samples[i], turns).values)
      sums[value.metric] += value.value / static_cast<double>(samples.size());
  }
  return sums;
}

std::string verbose(const std::string& command) {
  return "Sure! To do this, run:\n\n```bash\n$ " + command +
         "\nsome output\n```\n\nThis prints what you asked for.";
}

}  // namespace

TEST_CASE("CMDGen's files are what their sources give", "[.slow]") {
  for (const auto& [path, bytes] : aimicius::build_cmdgen(kSuite)) {
    INFO(path << ": `micius-data build` makes it again");
    CHECK(read_file(kSuite / path) == bytes);
  }
}

TEST_CASE("nothing of CMDGen's test is in its tuning data", "[.slow]") {
  const std::string leaks = aimicius::cmdgen_leaks(kSuite);
  for (const std::string_view line : split(leaks, '\n')) {
    INFO(line);
    CHECK((line.empty() || split_words(line)[0] == "0"));
  }
}

TEST_CASE("the simplest models score in CMDGen within expected.json") {
  const Task task = task_registry().get("cmdgen")(options());
  const std::vector<Sample> samples = samples_of(task);
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < samples.size(); ++i)
    groups[samples[i].extra.at("platform").get<std::string>() +
           samples[i].extra.at("group").get<std::string>()]
        .push_back(i);
  const auto reference = [&](std::size_t i) { return samples[i].targets.front(); };
  const auto another = [&](std::size_t i) {
    const auto& extra = samples[i].extra;
    const auto& group =
        groups.at(extra.at("platform").get<std::string>() + extra.at("group").get<std::string>());
    return reference(group[(i * 7919 + 1) % group.size()]);
  };
  const std::map<std::string, std::function<std::string(std::size_t)>> models = {
      {"reference", reference},
      {"accepted", [&](std::size_t i) { return samples[i].targets.back(); }},
      {"empty", [](std::size_t) { return std::string(); }},
      {"random", another},
      {"constant", [](std::size_t) { return std::string("nvidia-smi"); }},
      {"verbose", [&](std::size_t i) { return verbose(reference(i)); }},
      {"parrot", [&](std::size_t i) { return "Please: " + samples[i].input + "\nThanks!"; }}};
  const Json expected = parse_json(read_file(kSuite / "expected.json"), "expected.json");
  for (const auto& [name, model] : models) {
    const auto means = scores(samples, model);
    for (const auto& [metric, band] : expected.at("cmdgen").at(name).items()) {
      INFO(name << ": " << metric << " is " << means.at(metric));
      CHECK(means.at(metric) >= band.at(0).get<double>() - 1e-9);
      CHECK(means.at(metric) <= band.at(1).get<double>() + 1e-9);
    }
  }
}

TEST_CASE("every case of CMDGen carries the canary and its own id, and its reference ends as it says") {
  const std::string canary = read_file(kSuite / "CANARY.txt");
  const CommandJudge judge(kSuite / "cmdgen", nullptr, {});
  std::set<std::string> ids;
  for (const char* split : {"test", "dev", "tuning", "robust"}) {
    for (const Json& item : cases_in(split)) {
      INFO(item.at("id"));
      CHECK(canary.find(item.at("canary").get<std::string>()) != std::string::npos);
      CHECK(ids.insert(item.at("id")).second);
      const auto effect =
          judge.runner().here(item.at("reference").get<std::string>(), {item.at("profile"), "default"});
      REQUIRE(effect);
      CHECK(effect->exit == item.at("expect_exit"));
    }
  }
}

TEST_CASE("every reference does the same in this process and in the sandbox", "[.slow]") {
  const fs::path inside = built_inside();
  const SandboxOffer offer = make_sandbox(
      {.box_program = inside / "micius-box", .client_program = inside / "micius-emu", .lanes = 1});
  if (!offer.sandbox) {
    WARN("skipped: " << offer.why_not);
    return;
  }
  const CommandJudge judge(kSuite / "cmdgen", nullptr, {});
  for (const char* split : {"test", "dev", "tuning"}) {
    for (const Json& item : cases_in(split)) {
      const std::string command = item.at("reference");
      const Machine machine{item.at("profile"), "default"};
      INFO(item.at("id") << ": " << command);
      const Json here = to_json(judge.runner().here(command, machine).value());
      const Json there = to_json(judge.runner().inside(command, machine, *offer.sandbox));
      CHECK(here == there);
    }
  }
}

// The model that a run has by default, if it is on this machine.
class RealModel final : public Services {
 public:
  RealModel() {
    const char* given = std::getenv("MICIUS_MODEL_DIR");
    const char* home = std::getenv("HOME");
    const fs::path models = given != nullptr
                                ? fs::path(given)
                                : fs::path(home == nullptr ? "" : home) / ".local/share/micius/models";
    const fs::path folder = models / "all-minilm-l6-v2";
    if (fs::exists(folder / "config.json"))
      model_ = std::make_unique<EngineEmbedder>(folder, EncoderOptions{});
  }
  Offer<Sandbox> sandbox() override { return {nullptr, "none for this test"}; }
  Offer<Embedder> embedder() override {
    return {model_.get(), "all-minilm-l6-v2 is not in the model folder"};
  }

 private:
  std::unique_ptr<Embedder> model_;
};

TEST_CASE("the real embedder's scores of CMDGen", "[.slow]") {
  RealModel services;
  if (services.embedder().service == nullptr) {
    WARN("skipped: " << services.embedder().why_not);
    return;
  }
  const CommandJudge judge(kSuite / "cmdgen", &services, {});
  CommandCase item;
  item.reference = "nvidia-smi -i 2 --query-gpu=temperature.gpu --format=csv,noheader";
  const auto parts = [&](const std::string& command) {
    return judge.judge(item, command, judge.runner().here(command, item.machine).value(),
                       judge.runner().here(item.reference, item.machine).value());
  };
  // Another card's temperature is the same but for what was measured, and too short to be right for that.
  const CommandParts near = parts("nvidia-smi -i 3 --query-gpu=temperature.gpu --format=csv,noheader");
  CHECK(near.cmd_score.value() > 0.95);
  CHECK(near.output_score.value() == 1);
  CHECK_FALSE(near.accuracy());
  const CommandParts far = parts("nvidia-smi topo -m");
  CHECK(far.cmd_score.value() < 0.8);
  CHECK(far.output_score.value() < 0.6);
  CHECK(far.calibration == 0.0);
}

TEST_CASE("the table of tricky answers holds with the real embedder", "[.slow]") {
  RealModel services;
  if (services.embedder().service == nullptr) {
    WARN("skipped: " << services.embedder().why_not);
    return;
  }
  const CommandJudge judge(kSuite / "cmdgen", &services, {});
  std::size_t rows = 0;
  const fs::path path = source_tree() / "tests/scorers/cmdgen.jsonl";
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, fmt::format("{}:{}", path.string(), number));
    if (row.contains("sandbox") || row.contains("verdict")) return;
    CommandCase item;
    item.machine.profile = row.at("profile");
    item.reference = row.at("reference");
    const auto command = read_command(row.at("answer").get<std::string>(), [&](std::string_view word) {
      return judge.normal_forms().known(word);
    });
    REQUIRE(command);
    const CommandParts parts =
        judge.judge(item, *command, judge.runner().here(*command, item.machine).value(),
                    judge.runner().here(item.reference, item.machine).value());
    std::string digits;
    for (const bool one :
         {parts.exact_match, parts.normal_match, parts.success, parts.strict_success, parts.accuracy()})
      digits += one ? '1' : '0';
    INFO("row " << row.at("row") << ": " << *command << ": " << parts.output_score.value());
    CHECK(digits == row.at("want"));
    ++rows;
  });
  CHECK(rows >= 20);
}

TEST_CASE("a command's vector does not depend on what is read with it", "[.slow]") {
  RealModel together, alone;
  if (together.embedder().service == nullptr) {
    WARN("skipped: " << together.embedder().why_not);
    return;
  }
  std::set<std::string> known;
  std::vector<std::string> commands;
  for (const char* split : {"test", "tuning"})
    for (const Json& item : cases_in(split))
      if (known.insert(item.at("reference")).second) commands.push_back(item.at("reference"));
  const std::clock_t cpu_start = std::clock();
  const auto start = std::chrono::steady_clock::now();
  const std::vector<float> vectors = together.embedder().service->embed(commands);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  // Neighbours on the machine do not count in the second figure.
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const auto count = static_cast<double>(commands.size());
  WARN(fmt::format("{} commands: {:.0f} a second, {:.0f} a second of one core's time", count,
                   count / taken.count(), count / cpu));
  const std::size_t dim = together.embedder().service->dim();
  REQUIRE(vectors.size() == commands.size() * dim);
  for (std::size_t i = 0; i < commands.size(); i += 97) {
    INFO(commands[i]);
    const std::vector<float> one = alone.embedder().service->embed({&commands[i], 1});
    CHECK(std::equal(one.begin(), one.end(), vectors.begin() + static_cast<std::ptrdiff_t>(i * dim)));
  }
}

TEST_CASE("every test case of CMDGen but the soft ones tells its reference from its siblings", "[.slow]") {
  RealModel services;
  if (services.embedder().service == nullptr) {
    WARN("skipped: " << services.embedder().why_not);
    return;
  }
  const aimicius::ApartReport report =
      aimicius::cmdgen_apart(kSuite, services, aimicius::ApartPairs::kListed);
  INFO(report.text);
  CHECK(report.good);
}

TEST_CASE("the siblings of a command are mistakes that people make") {
  const aimicius::CommandSources sources = aimicius::CommandSources::read(kSuite / "cmdgen");
  const aimicius::Siblings siblings(sources, "nvidia");
  const auto of = [&](const std::string& command) {
    std::set<std::string> commands;
    for (const aimicius::Sibling& one : siblings.of(command)) commands.insert(one.command);
    return commands;
  };
  const auto has = [&](const std::string& command, const std::vector<std::string>& wanted) {
    const auto all = of(command);
    for (const std::string& one : wanted) {
      INFO(one);
      CHECK(all.count(one) == 1);
    }
  };
  has("NCCL_ALGO=Ring ./build/all_reduce_perf -b 8 -e 128M -g 8 > t.txt",
      {"./build/all_reduce_perf -b 8 -e 128M -g 8 > t.txt",
       "NCCL_ALGO=Tree ./build/all_reduce_perf -b 8 -e 128M -g 8 > t.txt",
       "NCCL_ALGO=Ring ./build/all_reduce_perf -b 8 -e 256M -g 8 > t.txt",
       "NCCL_ALGO=Ring ./build/all_reduce_perf -b 8 -e 128M -g 7 > t.txt",
       "NCCL_ALGO=Ring ./build/all_reduce_perf -b 8 -e 128M -g 8"});
  has("sudo nvidia-smi -i 7 -pl 400", {"nvidia-smi -i 7 -pl 400", "sudo nvidia-smi -i 6 -pl 400",
                                       "sudo nvidia-smi -pl 400", "nvidia-smi -L"});
  has("nvidia-smi --query-gpu=index,name --format=csv",
      {"nvidia-smi --query-gpu=index --format=csv",
       "nvidia-smi --query-gpu=index,name --format=csv,noheader"});
}

TEST_CASE("CMDGen's task and its scorer name the same metrics") {
  ScorerContext context;
  context.roots = options().roots;
  std::vector<std::string> names;
  for (const MetricInfo& metric : task_registry().get("cmdgen")(options()).metrics)
    names.push_back(metric.name);
  CHECK(names == scorer_registry().get("cmdgen")({"cmdgen", Json::object()}, context)->metrics());
}

}  // namespace micius
