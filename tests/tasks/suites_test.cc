#include "tasks/suites.h"

#include <algorithm>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "source_tree.h"
#include "tasks/registry.h"

namespace micius {
namespace {

const std::vector<std::string> kNames = {"arc_challenge", "arc_easy",   "cmdgen",
                                         "infrawise",     "openbookqa", "optiflow"};

TaskRequest named(const std::string& name) { return {name, std::nullopt, std::nullopt, std::nullopt}; }

}  // namespace

TEST_CASE("every suite's tasks exist, and no suite has a task's name") {
  std::set<std::string> seen;
  for (const Suite& suite : suites()) {
    INFO(suite.name);
    CHECK(seen.insert(suite.name).second);
    CHECK(task_registry().find(suite.name) == nullptr);
    CHECK_FALSE(suite.members.empty());
    for (const SuiteMember& member : suite.members) CHECK(task_registry().find(member.task) != nullptr);
  }
}

TEST_CASE("every task has its own name, a version and metrics") {
  for (const auto& entry : task_registry().entries()) {
    TaskOptions options;
    options.roots.share = source_tree();
    const Task task = entry.factory(options);
    CHECK(task.name == entry.name);
    CHECK(task.version >= 1);
    CHECK_FALSE(task.metrics.empty());
    CHECK_FALSE(entry.summary.empty());
  }
}

TEST_CASE("names, globs, paths and suites") {
  using Requests = std::vector<TaskRequest>;
  CHECK(expand_tasks("arc_easy, openbookqa", kNames) == Requests{named("arc_easy"), named("openbookqa")});
  CHECK(expand_tasks("arc_*,arc_easy", kNames) == Requests{named("arc_challenge"), named("arc_easy")});
  CHECK(expand_tasks("my.json,dir/task", kNames) ==
        Requests{{"my.json", "my.json", std::nullopt, std::nullopt},
                 {"dir/task", "dir/task", std::nullopt, std::nullopt}});
  const Requests quick = expand_tasks("quick", kNames);
  REQUIRE(quick.size() == 7);
  CHECK(quick[0] == TaskRequest{"cmdgen", std::nullopt, 16, "quick"});
  CHECK(quick[1] == TaskRequest{"infrawise", std::nullopt, 16, "quick"});
  CHECK(quick[2] == TaskRequest{"optiflow", std::nullopt, 4, "quick", 256});
  CHECK(quick[3] == TaskRequest{"nl2kql", std::nullopt, 4, "quick", 64});
  CHECK(quick[4] == TaskRequest{"arc_easy", std::nullopt, 32, "quick"});
}

TEST_CASE("groups have all their parts, and MMLU has five shots in a suite") {
  std::map<std::string, std::size_t> sizes;
  for (const Suite& suite : suites()) {
    if (suite.is_group) sizes[suite.name] = suite.members.size();
  }
  CHECK(sizes == std::map<std::string, std::size_t>{{"bbh", 27},
                                                    {"hendrycks_math", 7},
                                                    {"minerva_math", 7},
                                                    {"mmlu", 57},
                                                    {"mmlu_humanities", 13},
                                                    {"mmlu_other", 13},
                                                    {"mmlu_pro", 14},
                                                    {"mmlu_social_sciences", 12},
                                                    {"mmlu_stem", 19}});
  std::size_t with_five = 0;
  const auto general = expand_tasks("general", task_registry().names());
  for (const TaskRequest& request : general) with_five += request.shots == 5 ? 1 : 0;
  CHECK(with_five == 57);
  CHECK(general.size() == 10 + 57 + 14 + 27 + 2 + 7 + 1);
  CHECK_FALSE(expand_tasks("mmlu_virology", task_registry().names()).front().shots);
}

TEST_CASE("a task that comes twice is done once") {
  const auto both = expand_tasks("general,commonsense", kNames);
  CHECK(both.size() == expand_tasks("general", kNames).size());
  const auto named_too = expand_tasks("commonsense,arc_easy", kNames);
  REQUIRE(named_too.size() == 10);
  CHECK(named_too[3] == named("arc_easy"));
  CHECK(expand_tasks("quick,arc_easy", kNames).size() == 8);  // 32 samples, and all of them
}

TEST_CASE("what is no task is named with the nearest") {
  CHECK_THROWS_WITH(expand_tasks("arc_esy", kNames),
                    Catch::StartsWith("unknown task or suite 'arc_esy' (did you mean 'arc_easy'?)"));
  CHECK_THROWS_WITH(expand_tasks("quik", kNames), Catch::Contains("did you mean 'quick'?"));
  CHECK_THROWS_WITH(expand_tasks("mmlu_*", kNames), Catch::Contains("no task matches 'mmlu_*'"));
  CHECK_THROWS_WITH(expand_tasks("arc_easy,,openbookqa", kNames), Catch::Contains("names no task"));
  CHECK_THROWS_WITH(expand_tasks("", kNames), Catch::Contains("names no task"));
}

}  // namespace micius
