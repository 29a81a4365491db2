// amd-smi: reports in three formats, watching, set commands and what it says of wrong words.
#include <catch2/catch.hpp>

#include "emu_data.h"

namespace micius::emu {
namespace {

Outcome as_root(const std::string& line, State& state) {
  Call call = call_of(line);
  call.root = true;
  return run_with("mi300x8", state, call);
}

}  // namespace

TEST_CASE("amd-smi: a report as text, JSON and CSV") {
  CHECK(
      run_line("mi300x8", "amd-smi metric --power --temperature --gpu 0").out ==
      "GPU: 0\n    POWER:\n        SOCKET_POWER: 141 W\n        GFX_VOLTAGE: N/A\n        SOC_VOLTAGE: N/A\n"
      "        MEM_VOLTAGE: N/A\n        POWER_MANAGEMENT: ENABLED\n        THROTTLE_STATUS: UNTHROTTLED\n"
      "    TEMPERATURE:\n        EDGE: N/A\n        HOTSPOT: 43 °C\n        MEM: 33 °C\n\n");
  CHECK(run_line("mi300x8", "amd-smi metric -t -g 0 --csv").out == "gpu,edge,hotspot,mem\n0,N/A,43,33\n");
  CHECK(run_line("mi300x8", "amd-smi metric -e -g 5 --csv").out.find("\n5,3,0,0,0,0\n") != std::string::npos);
  CHECK(run_line("mi300x8", "amd-smi static --driver -g 1 --json").out ==
        "[\n    {\n        \"gpu\": 1,\n        \"driver\": {\n            \"name\": \"amdgpu\",\n"
        "            \"version\": \"6.10.5\"\n        }\n    }\n]\n");
  CHECK(run_line("mi300x8", "amd-smi METRIC -t --gpu 0000:05:00.0").out ==
        run_line("mi300x8", "amd-smi metric -t -g 0").out);
  CHECK(run_line("mi300x8", "amd-smi dmon -p").out == run_line("mi300x8", "amd-smi monitor -p").out);
}

TEST_CASE("amd-smi: a watch ends by its count, its time or never") {
  State state;
  const Outcome counted = run_line("mi300x8", "amd-smi monitor -p -g 0 -w 2 -i 4", state);
  CHECK(counted.advance_ns == 6'000'000'000);
  CHECK_FALSE(state.unbounded);
  CHECK(run_line("mi300x8", "amd-smi metric -t -w 5 -W 20", state).advance_ns == 15'000'000'000);
  CHECK_FALSE(state.unbounded);
  run_line("mi300x8", "amd-smi metric -t -w 5", state);
  CHECK(state.unbounded);
}

TEST_CASE("amd-smi: set and reset need a target and root, and share rocm-smi's state") {
  State state;
  CHECK(run_line("mi300x8", "amd-smi set -g 0 -o 600", state).exit == 1);
  CHECK(as_root("amd-smi set -o 600", state).out.find("requires a target argument") != std::string::npos);
  CHECK(state_diff(state) == "{}");
  CHECK(as_root("amd-smi set --gpu 0 --power-cap 600 --perf-level high", state).out ==
        "GPU: 0\n    PERFLEVEL: Successfully set performance level HIGH\n"
        "    POWERCAP: Successfully set power cap to 600W\n\n");
  CHECK(state_diff(state) == R"({"gpu0.perf_level":"high","gpu0.power.cap":"600"})");
  CHECK(run_line("mi300x8", "rocm-smi -d 0 -M", state).out.find("600.0") != std::string::npos);
  CHECK(as_root("amd-smi set -g 0 -o 9000", state).out.find("must be between") != std::string::npos);
  CHECK(as_root("amd-smi reset -g 0 --clocks --power-cap", state).exit == 0);
  CHECK(state_diff(state) == "{}");
  CHECK(as_root("amd-smi set -g all -x 2", state).exit == 0);
  CHECK(run_line("mi300x8", "amd-smi static -x -g 7", state).out.find("CURRENT_ID: 2") != std::string::npos);
}

TEST_CASE("amd-smi: wrong words are named with the tool's codes") {
  struct Case {
    const char *line, *text;
  };
  for (const Case& each :
       {Case{"amd-smi nonsense",
             "Command 'nonsense' is invalid. Run '--help' for more info. Error code: -1\n"},
        Case{"amd-smi static --gpu 123123", "Can not find a device: GPU '123123' Error code: -3\n"},
        Case{"amd-smi static --gpu 9 --json",
             "{\"error\": \"Can not find a device: GPU '9'\", \"code\": -3}\n"}}) {
    INFO(each.line);
    const Outcome outcome = run_line("mi300x8", each.line);
    CHECK(outcome.out == each.text);
    CHECK(outcome.exit == 0);
  }
  CHECK(run_line("mi300x8", "amd-smi metric --bogus").out.find("Error code: -2") != std::string::npos);
  CHECK(run_line("mi300x8", "amd-smi metric -w soon").out.find("Error code: -5") != std::string::npos);
  CHECK(run_line("mi300x8", "amd-smi profile").out.find("Error code: -7") != std::string::npos);
}

TEST_CASE("amd-smi: --file takes the output") {
  const Outcome outcome = run_line("mi300x8", "amd-smi list --json --file /tmp/l.json");
  CHECK(outcome.out.empty());
  REQUIRE(outcome.writes.size() == 1);
  CHECK(outcome.writes[0].content == run_line("mi300x8", "amd-smi list --json").out);
}

}  // namespace micius::emu
