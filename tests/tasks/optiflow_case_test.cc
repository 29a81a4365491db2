// Optiflow's cases in their short form.
#include "tasks/optiflow_case.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "source_tree.h"

namespace micius {
namespace {

const std::filesystem::path kBaselines = source_tree() / "datasets/aimicius/optiflow/baselines";

// Two GPUs on a switch, the second with a slower way down, and a GPU that only the first can send to.
const Json kLong = Json::parse(R"({"gpus": 3, "nodes": ["GPU-0", "GPU-1", "GPU-2", "SW"],
  "latency_us": [[0, null, 1, 0.2], [null, 0, null, 0.2], [null, null, 0, null], [0.2, 0.2, null, 0]],
  "bandwidth_gbps": [[null, 0, 25, 450], [0, null, 0, 450], [0, 0, null, 0], [450, 12.5, 0, null]]})");
const Json kShort = Json::parse(R"({"forwarders": ["SW"], "links": [[0.2, 450, [0, 3]]],
  "one_way": [[1, 25, [0, 2]], [0.2, 450, [1, 3]], [0.2, 12.5, [3, 1]]]})");

std::string program(const std::string& recipe, const Json& machine = kLong) {
  return OptiflowPrograms(kBaselines).program(Json::parse(recipe), machine, 2, "case");
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a machine in short form is the same machine") {
  CHECK(short_machine(kLong).dump() == kShort.dump());
  CHECK(long_machine(kShort, 3, "case").dump() == kLong.dump());
}

TEST_CASE("a short machine with wrong links is refused") {
  for (const char* wrong :
       {R"({"links": [[0.2, 450, [0]]]})", R"({"links": [[0.2, 450, [0, 0]]]})",
        R"({"links": [[0.2, 450, [0, 3]]]})", R"({"links": [[0.2, 450, [0, -1]]]})",
        R"({"links": [["a", 450, [0, 1]]]})", R"({"links": [7]})", R"({"links": [], "nodes": []})"}) {
    INFO(wrong);
    CHECK_THROWS_AS(long_machine(Json::parse(wrong), 3, "case"), Error);
  }
  CHECK_THROWS_WITH(long_machine(kShort, 128, "case"), Catch::Contains("from 1 to 128 nodes, found 129"));
  CHECK_THROWS_AS(long_machine(kShort, -1, "case"), Error);
}

TEST_CASE("a recipe becomes a program") {
  const std::string naive = program(R"({"by": "naive"})");
  CHECK(has(naive, "GPU_COUNT = 3\nCHUNKS_PER_GPU = 2\n"));
  CHECK(has(naive, "LINKS = {0: [1, 2], 1: [0], 2: []}\n"));
  CHECK(has(program(R"({"by": "ring", "ring": [2, 0, 1]})"), "RING = [2, 0, 1]\n"));
  CHECK(has(program(R"({"by": "hierarchical", "group": 2})"), "GROUP = 2\n"));
  CHECK(has(program(R"({"by": "direct", "list": true})"),
            "    return [step for steps in plan for step in steps]\n"));
  const std::string greedy =
      program(R"({"by": "greedy", "order": [1, 0, 2], "first": 1, "budget": [4, 12.5], "wait": true,
                  "moves": [[0, 1, 2, 0], [3, 1, 2], [1, 1], [0]]})");
  CHECK(has(greedy, "the GPUs first, then the nodes that forward."));
  CHECK(has(greedy, "ORDER = [1, 0, 2]  # in which"));
  CHECK(has(greedy, "FIRST = 1  #"));
  CHECK(has(greedy, "BUDGET = 4 / 12.5  #"));
  CHECK(has(greedy, "WAIT = True  #"));
  CHECK(has(greedy, "MOVES = [(0, 1, 2, 0), (3, 1, 2), (1, 1), (0,)]\n"));
  CHECK(greedy.ends_with("\nplan = change(plan)\nprint(plan)\n"));
  const std::string numbered = program(R"({"by": "ring", "ring": [0, 1, 2], "numbers": [2, 0, 1]})");
  CHECK(numbered.starts_with("NUMBERS = [2, 0, 1]\nGPU_COUNT = 3\n"));
  CHECK(numbered.ends_with("\nplan = renumber(plan)\nprint(plan)\n"));
  CHECK(has(program(R"({"by": "greedy", "numbers": [2, 0, 1]})"), "\nBANDWIDTH = [["));
  CHECK(has(program(R"({"by": "greedy"})", long_machine({{"links", Json::array()}}, 3, "case")),
            "every node is a GPU"));
}

TEST_CASE("what is no recipe is named") {
  CHECK_THROWS_WITH(program(R"({"by": "magic"})"), "case: unknown planner 'magic'");
  CHECK_THROWS_WITH(program(R"({"by": "naive", "rounds": 1})"), Catch::Contains("unknown field 'rounds'"));
  CHECK_THROWS_WITH(program(R"({"by": "naive", "ring": [1]})"),
                    Catch::Contains("a program without 'RING = ..'"));
  CHECK_THROWS_WITH(program(R"({"by": "greedy", "budget": 4})"), Catch::Contains("field 'budget'"));
}

}  // namespace micius
