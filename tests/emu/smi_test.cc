// nvidia-smi: what set commands change, what they say and how they end.
#include <catch2/catch.hpp>

#include "emu_data.h"

namespace micius::emu {

TEST_CASE("a set command needs root and leaves the state alone without it") {
  State state;
  const Outcome denied = run_line("h100x8", "nvidia-smi -pl 400", state);
  CHECK(denied.exit == 4);
  CHECK(denied.out.find("Insufficient Permissions") != std::string::npos);
  CHECK(state_diff(state) == "{}");

  Call call = call_of("nvidia-smi -i 1 -pl 400");
  call.root = true;
  const Outcome done = run_with("h100x8", state, call);
  CHECK(done.exit == 0);
  CHECK(done.out == "Power limit for GPU 00000000:43:00.0 was set to 400.00 W from 700.00 W.\nAll done.\n");
  CHECK(state_diff(state) == R"({"gpu1.enforced.power.limit":"400.00","gpu1.power.limit":"400.00"})");
  CHECK(run_line("h100x8", "nvidia-smi -i 1 --query-gpu=power.limit --format=csv,noheader", state).out ==
        "400.00 W\n");

  call.argv = {"nvidia-smi", "-i", "1", "--power-limit=700"};
  CHECK(run_with("h100x8", state, call).exit == 0);
  CHECK(state_diff(state) == "{}");
}

TEST_CASE("a query prints the canonical header for an alias") {
  const Outcome outcome = run_line("h100x8", "nvidia-smi --query-gpu=gpu_name,memory.total --format=csv");
  CHECK(outcome.out.rfind("name, memory.total [MiB]\nNVIDIA H100 80GB HBM3, 81559 MiB\n", 0) == 0);
}

TEST_CASE("bad words end as the tool's manual says") {
  struct Case {
    const char *profile, *line;
    int exit;
  };
  for (const Case& each :
       {Case{"h100x8", "nvidia-smi --bogus", 2}, Case{"h100x8", "nvidia-smi nonsense", 2},
        Case{"h100x8", "nvidia-smi --query-gpu=cuda_version --format=csv", 2},
        Case{"h100x8", "nvidia-smi --query-gpu=name", 2}, Case{"h100x8", "nvidia-smi -i 8", 6},
        Case{"h100x8", "nvidia-smi dmon -c 0", 2}, Case{"h100x8", "nvidia-smi -q -d NOTHING", 2},
        Case{"l4x1", "nvidia-smi mig -lgip", 6}, Case{"h100x8", "rocm-smi", 127}}) {
    INFO(each.line);
    CHECK(run_line(each.profile, each.line).exit == each.exit);
  }
}

TEST_CASE("an endless command prints three rounds and says so") {
  State state;
  const Outcome outcome = run_line("l4x1", "nvidia-smi --query-gpu=index --format=csv -l 5", state);
  CHECK(outcome.out == "index\n0\n0\n0\n");
  CHECK(state.unbounded);
  CHECK(outcome.advance_ns == 10'000'000'000);
  State other;
  run_line("l4x1", "nvidia-smi dmon -c 2", other);
  CHECK_FALSE(other.unbounded);
}

TEST_CASE("MIG instances are made, listed and destroyed") {
  State state;
  const auto as_root = [&](const std::string& line) {
    Call call = call_of(line);
    call.root = true;
    return run_with("a100x8", state, call);
  };
  CHECK(run_line("a100x8", "nvidia-smi mig -lgip", state).exit == 6);
  CHECK(as_root("nvidia-smi -i 0 -mig 1").exit == 0);
  const Outcome made = as_root("nvidia-smi mig -i 0 -cgi 9,3g.40gb -C");
  CHECK(made.exit == 0);
  CHECK(made.out.find(
            "Successfully created GPU instance ID  2 on GPU  0 using profile MIG 3g.40gb (ID  9)") == 0);
  CHECK(as_root("nvidia-smi mig -i 0 -cgi 19").exit != 0);  // no room left
  CHECK(
      run_line("a100x8", "nvidia-smi -L -i 0", state).out.find("  MIG 3g.40gb     Device  1: (UUID: MIG-") !=
      std::string::npos);
  CHECK(as_root("nvidia-smi mig -i 0 -dgi").exit != 0);  // compute instances live in them
  CHECK(as_root("nvidia-smi mig -i 0 -dci").exit == 0);
  CHECK(as_root("nvidia-smi mig -i 0 -dgi").exit == 0);
  CHECK(as_root("nvidia-smi -i 0 -mig 0").exit == 0);
  CHECK(state_diff(state) == "{}");
  CHECK(as_root("nvidia-smi -i 3 -mig 1").exit != 0);  // busy
}

TEST_CASE("the option -f writes what would have been printed") {
  const Outcome outcome = run_line("h100x8", "nvidia-smi pmon -i 3 -d 4 -c 10 -f /tmp/pmon.log");
  CHECK(outcome.out.empty());
  REQUIRE(outcome.writes.size() == 1);
  CHECK(outcome.writes[0].path == "/tmp/pmon.log");
  CHECK(outcome.writes[0].content == run_line("h100x8", "nvidia-smi pmon --id 3 --delay 4 --count 10").out);
}

}  // namespace micius::emu
