// rocm-smi: sections, output formats, set commands and how they end.
#include <catch2/catch.hpp>

#include "emu_data.h"

namespace micius::emu {
namespace {

Outcome as_root(const std::string& line, State& state, const std::string& profile = "mi300x8") {
  Call call = call_of(line);
  call.root = true;
  return run_with(profile, state, call);
}

}  // namespace

TEST_CASE("rocm-smi: a section is framed and has a line a GPU") {
  const Outcome outcome = run_line("mi300x8", "rocm-smi -d 0 1 --showpower --showtemp");
  CHECK(outcome.exit == 0);
  CHECK(outcome.out.rfind("\n\n============================ ROCm System Management Interface "
                          "============================\n"
                          "====================================== Temperature ",
                          0) == 0);
  CHECK(outcome.out.find("GPU[1]\t\t: Temperature (Sensor memory) (C): 32.0\n") != std::string::npos);
  CHECK(outcome.out.find("GPU[0]\t\t: Current Socket Graphics Package Power (W): 141.0\n") !=
        std::string::npos);
  CHECK(outcome.out.find("GPU[2]") == std::string::npos);
  // The order of the options does not matter, a beginning of a name is enough.
  CHECK(run_line("mi300x8", "rocm-smi --showte --showpow --device 0 1").exit == 2);  // --showtempgraph too
  CHECK(run_line("mi300x8", "rocm-smi --showtemp --showpow --device 0 1").out == outcome.out);
}

TEST_CASE("rocm-smi: JSON and CSV have the same values without frames") {
  CHECK(run_line("mi300x8", "rocm-smi --showvbios -d 3 --json").out ==
        "{\"card3\": {\"VBIOS version\": \"113-M3000100-102\"}}\n");
  CHECK(run_line("mi300x8", "rocm-smi --showmeminfo vram -d 6 --csv").out ==
        "device,VRAM Total Memory (B),VRAM Total Used Memory (B)\ncard6,206141652992,43194863616\n\n");
  CHECK(run_line("mi300x8", "rocm-smi --showdriverversion --json").out ==
        "{\"system\": {\"Driver version\": \"6.10.5\"}}\n");
  CHECK(run_line("mi300x8", "rocm-smi --json").exit == 1);
}

TEST_CASE("rocm-smi: a set command needs root and changes what is shown") {
  State state;
  CHECK(run_line("mi300x8", "rocm-smi -d 2 --setperflevel high", state).exit == 1);
  CHECK(state_diff(state) == "{}");
  CHECK(as_root("rocm-smi -d 2 --setperflevel high", state)
            .out.find("GPU[2]\t\t: Performance level set to high\n") != std::string::npos);
  CHECK(run_line("mi300x8", "rocm-smi -d 2 -g", state).out.find("sclk clock level: 1 (2100Mhz)") !=
        std::string::npos);
  CHECK(as_root("rocm-smi -d 2 --setpoweroverdrive 600", state).exit == 0);
  CHECK(state_diff(state) == R"({"gpu2.perf_level":"high","gpu2.power.cap":"600"})");
  CHECK(run_line("mi300x8", "rocm-smi -d 2 -M", state).out.find("Power (W): 600.0") != std::string::npos);
  CHECK(as_root("rocm-smi -d 2 --setpoweroverdrive 900", state).err.find("cannot be greater than: 750W") !=
        std::string::npos);
  CHECK(as_root("rocm-smi -d 2 --resetclocks --resetpoweroverdrive", state).exit == 0);
  CHECK(state_diff(state) == "{}");
  CHECK(as_root("rocm-smi -d 2 --setsclk 1", state).out.find("Successfully set sclk bitmask to: 0x2") !=
        std::string::npos);
  CHECK(as_root("rocm-smi -d 2 --gpureset", state).exit == 0);
  CHECK(state_diff(state) == R"({"gpu2.resets":"1"})");
  CHECK(as_root("rocm-smi --gpureset", state).exit == 1);
}

TEST_CASE("rocm-smi: a change outside the specification has to be confirmed") {
  State state;
  CHECK(as_root("rocm-smi --setsrange 500 2000", state).exit == 1);
  CHECK(as_root("rocm-smi --setsrange 500 2000 --autorespond n", state).exit == 1);
  CHECK(state_diff(state) == "{}");
  CHECK(as_root("rocm-smi -d 0 --setsrange 500 2000 --autorespond y", state).exit == 0);
  CHECK(state_diff(state) == R"({"gpu0.sclk.max":"2000"})");
}

TEST_CASE("rocm-smi: partitions are refused where a job runs or there are none") {
  State state;
  const Outcome outcome = as_root("rocm-smi --setcomputepartition cpx", state);
  CHECK(outcome.out.find("GPU[0]\t\t: Successfully set compute partition to CPX\n") != std::string::npos);
  CHECK(outcome.out.find("GPU[6]\t\t: Device is currently busy, try again later\n") != std::string::npos);
  CHECK(as_root("rocm-smi --setcomputepartition QUX", state).exit == 2);
  State other;
  as_root("rocm-smi --setcomputepartition CPX", other, "mi250x8");
  CHECK(state_diff(other) == "{}");
  CHECK(run_line("mi300x8-cpx", "rocm-smi --showcomputepartition -d 63").out.find("Compute Partition: CPX") !=
        std::string::npos);
}

TEST_CASE("rocm-smi: settings are saved and loaded") {
  State state;
  as_root("rocm-smi -d 4 --setprofile COMPUTE", state);
  const Outcome saved = run_line("mi300x8", "rocm-smi -d 4 --save /tmp/s.json", state);
  REQUIRE(saved.writes.size() == 1);
  State fresh;
  Call call = call_of("rocm-smi --load /tmp/s.json");
  call.root = true;
  CHECK(run_with("mi300x8", fresh, call, {{"/tmp/s.json", saved.writes[0].content}}).exit == 0);
  CHECK(state_diff(fresh) == R"({"gpu4.profile":"COMPUTE"})");
  CHECK(run_with("mi300x8", fresh, call, {{"/tmp/s.json", "[[[["}}).exit == 1);
}

}  // namespace micius::emu
