// Option tables: what is in them is accepted, what is not is refused as the tool refuses it.
#include <catch2/catch.hpp>

#include "emu/registry.h"
#include "emu_data.h"

namespace micius::emu {
namespace {

struct Table {
  const char* name;
  Engine engine;
};
constexpr Table kTables[] = {{"nvidia-smi", Engine::kNvidia},  {"nccl-tests", Engine::kGetopt},
                             {"nvcc", Engine::kNvidia},        {"sb", Engine::kKnack},
                             {"mpirun", Engine::kWrapper},     {"dcgmi", Engine::kGetopt},
                             {"lspci", Engine::kGetopt},       {"numactl", Engine::kWrapper},
                             {"perftest", Engine::kGetopt},    {"nsys", Engine::kWrapper},
                             {"ncu", Engine::kWrapper},        {"compute-sanitizer", Engine::kWrapper},
                             {"nvbandwidth", Engine::kGetopt}, {"nvidia-settings", Engine::kGetopt},
                             {"ibstat", Engine::kGetopt},      {"modinfo", Engine::kGetopt},
                             {"dmesg", Engine::kGetopt},       {"docker-gpu", Engine::kWrapper},
                             {"sudo", Engine::kWrapper},       {"watch", Engine::kWrapper},
                             {"timeout", Engine::kWrapper}};

std::size_t check_command(const ToolSpec& tool, Engine engine, const CommandSpec& command, Args path) {
  std::size_t checked = 0;
  for (const OptionSpec& option : command.options)
    for (const std::string& flag : option.flags) {
      Args words = path;
      words.push_back(flag);
      const std::string value = option.values.empty() ? "1" : option.values.front();
      for (std::size_t i = 0; i < option.min_values; ++i) words.push_back(value);
      const Parsed parsed = parse_options(tool, engine, words);
      INFO(tool.root.name << " " << join(words, " "));
      CHECK(parsed.problem == Problem::kNone);
      REQUIRE(parsed.options.size() == 1);
      CHECK(parsed.options[0].values.size() == option.min_values);
      ++checked;
    }
  for (const CommandSpec& child : command.subcommands) {
    Args deeper = path;
    for (std::string_view word : split_words(child.name)) deeper.emplace_back(word);
    checked += check_command(tool, engine, child, deeper);
  }
  return checked;
}

}  // namespace

TEST_CASE("every option of the tables is accepted") {
  std::size_t checked = 0;
  for (const Table& table : kTables) {
    const ToolSpec& tool = catalog().tool(table.name);
    checked += check_command(tool, table.engine, tool.root, {});
  }
  WARN("spellings of options checked: " << checked);
  CHECK(checked > 1'200);
}

TEST_CASE("a made-up option is refused with the tool's exit status") {
  struct Case {
    const char* line;
    int exit;
  };
  for (const Case& each : {Case{"nvidia-smi --made-up", 2},
                           Case{"nvidia-smi dmon --made-up", 2},
                           Case{"nvidia-smi topo -zz", 2},
                           Case{"nvidia-smi nvlink --made-up", 2},
                           Case{"nvidia-smi mig --made-up", 2},
                           Case{"all_reduce_perf --made-up", 0},
                           Case{"alltoall_perf --made-up", 0},
                           Case{"nvcc --made-up a.cu", 1},
                           Case{"sb version --made-up", 2},
                           Case{"sb run --made-up", 2},
                           Case{"mpirun --made-up x", 1},
                           Case{"dcgmi discovery --made-up", 1},
                           Case{"lspci -y", 1},
                           Case{"numactl --made-up", 1},
                           Case{"ib_write_bw --made-up", 1},
                           Case{"nsys profile --made-up ./app", 1},
                           Case{"ncu --made-up ./app", 1},
                           Case{"compute-sanitizer --made-up ./app", 1},
                           Case{"nvbandwidth --made-up", 1},
                           Case{"nvidia-settings --made-up", 1},
                           Case{"ibstat --made-up", 255},
                           Case{"modinfo --made-up nvidia", 1},
                           Case{"sudo dmesg --made-up", 1},
                           Case{"docker run --made-up image", 125},
                           Case{"sudo --made-up ls", 1},
                           Case{"watch --made-up ls", 1},
                           Case{"timeout --made-up 1 ls", 125},
                           Case{"nproc --made-up", 1},
                           Case{"uname --made-up", 1},
                           Case{"free --made-up", 1},
                           Case{"lscpu --made-up", 1},
                           Case{"date --made-up", 1},
                           Case{"hostname --made-up", 1}}) {
    State state;
    const Outcome outcome = run_line("h100x8", each.line, state);
    INFO(each.line);
    CHECK(outcome.exit == each.exit);
    CHECK_FALSE((outcome.out + outcome.err).empty());
    CHECK(state_diff(state) == "{}");
  }
}

TEST_CASE("engines read joined, shortened and many-valued options") {
  const ToolSpec tool = read_tool(parse_json(R"({"tool":"t","options":[
    {"flags":["-b","--bytes"],"arg":"N"},{"flags":["-v"],"arg":null},{"flags":["--bytecode"],"arg":null},
    {"flags":["-g","--gpu"],"arg":"GPU..."},{"flags":["--csv"],"arg":null,"values":null},
    {"flags":["--pair"],"arg":"A B"},{"flags":["-l"],"arg":"[N]"},{"flags":["--mode"],"arg":"M","values":["a","b"]}],
    "subcommands":[{"name":"run","options":[{"flags":["-x"],"arg":null}]}]})",
                                             "t"),
                                  "t");
  const auto parse = [&](Engine engine, const std::string& line) {
    Args words;
    for (std::string_view word : split_words(line)) words.emplace_back(word);
    return parse_options(tool, engine, words);
  };
  CHECK(parse(Engine::kGetopt, "-vb8").value("-b") == "8");
  CHECK(parse(Engine::kGetopt, "--bytes=8").value("-b") == "8");
  CHECK(parse(Engine::kArgparse, "--cs").has("--csv"));
  CHECK(parse(Engine::kArgparse, "--byte 8").problem == Problem::kAmbiguous);
  CHECK(parse(Engine::kArgparse, "-g 0 1 2 --csv").find("-g")->values.size() == 3);
  CHECK(parse(Engine::kArgparse, "--pair 1").problem == Problem::kMissingValue);
  CHECK(parse(Engine::kArgparse, "--mode c").problem == Problem::kBadChoice);
  CHECK(parse(Engine::kArgparse, "--mode=c").culprit == "c");
  CHECK(parse(Engine::kArgparse, "run -x").path == "run");
  CHECK(parse(Engine::kNvidia, "-b8").problem == Problem::kUnknownOption);
  CHECK(parse(Engine::kNvidia, "--cs").problem == Problem::kUnknownOption);
  CHECK(parse(Engine::kNvidia, "-v run").problem == Problem::kNone);
  CHECK(parse(Engine::kNvidia, "-v run").words == std::vector<std::string>{"run"});
  CHECK(parse(Engine::kNvidia, "stop").problem == Problem::kUnknownCommand);
  CHECK(parse(Engine::kGetopt, "--csv=1").problem == Problem::kUnexpectedValue);
  CHECK(parse(Engine::kGetopt, "-b").problem == Problem::kMissingValue);
}

}  // namespace micius::emu
