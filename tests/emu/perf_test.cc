// Collective tests, mpirun and the small programs around them.
#include <catch2/catch.hpp>

#include "emu_data.h"

namespace micius::emu {

TEST_CASE("the bandwidth model meets its anchors") {
  const Outcome h100 = run_line("h100x8", "./build/all_reduce_perf -b 8 -e 8G -f 2 -g 8");
  CHECK(h100.out.find("           8             2     float     sum      -1    13.00") != std::string::npos);
  CHECK(h100.out.find("  8589934592    2147483648     float     sum      -1  3133") != std::string::npos);
  const Outcome a100 = run_line("a100x8", "all_reduce_perf -b 8G -e 8G -g 8");
  CHECK(a100.out.find("  230.9") != std::string::npos);
  const std::string two = "mpirun -np 16 -H node1:8,node2:8 all_reduce_perf -b 8G -e 8G -g 1";
  CHECK(run_line("h100x8-2n", two).out.find("nThread 1 nGpus 1") != std::string::npos);
  CHECK(run_line("h100x8", two).exit == 1);  // no such host there
}

TEST_CASE("a library variable shows in the times and is remembered") {
  const std::string line = "all_reduce_perf -b 1M -e 1G -f 2 -g 8";
  const std::string plain = run_line("h100x8", line).out;
  for (const char* variable :
       {"NCCL_ALGO=Ring", "NCCL_PROTO=Simple", "NCCL_P2P_DISABLE=1", "NCCL_NVLS_ENABLE=0"}) {
    State state;
    CHECK(run_line("h100x8", std::string(variable) + " " + line, state).out != plain);
    CHECK(state.env_read.count(variable) == 1);
  }
}

TEST_CASE("bad words of collective tests end as the real ones do") {
  CHECK(run_line("h100x8", "all_reduce_perf --nonsense").exit == 0);
  CHECK(run_line("h100x8", "all_reduce_perf -b 1T").exit == 255);
  CHECK(run_line("h100x8", "all_reduce_perf -b 2M -e 1M").exit == 255);
  CHECK(run_line("h100x8", "all_reduce_perf -g 9").exit == 1);
  CHECK(run_line("h100x8", "mpirun -np 9 -H node1:8 all_reduce_perf").exit == 1);
  CHECK(run_line("h100x8", "all_reduce_perf -b 0 -e 1G -i 0 -g 8").exit == 0);
}

TEST_CASE("wrappers run what is inside them") {
  State state;
  CHECK(run_line("h100x8", "sudo nvidia-smi -i 3 -pl 300", state).exit == 0);
  CHECK(state_diff(state).find("\"gpu3.power.limit\":\"300.00\"") != std::string::npos);
  CHECK(state.runs == std::map<std::string, std::size_t>{{"nvidia-smi", 1}, {"sudo", 1}});
  CHECK(run_line("h100x8", "docker run --rm --gpus device=3 image nvidia-smi -L")
            .out.find("GPU 3: NVIDIA H100") == 0);
  CHECK(run_line("h100x8", "docker run --rm image nvidia-smi -L").exit == 127);
  const Outcome cat = run_line("h100x8", "sudo cat x");
  CHECK(cat.exec == std::vector<std::string>{"cat", "x"});
  CHECK(cat.exec_env.empty());
  State bounded;
  CHECK(run_line("h100x8", "timeout 10 nvidia-smi -L -l 1", bounded).exit == 124);
  CHECK_FALSE(bounded.unbounded);
  State slept;
  CHECK(run_line("h100x8", "sleep 1.5m", slept).advance_ns == 90'000'000'000);
  State watched;
  run_line("h100x8", "watch -n 1 nvidia-smi -L", watched);
  CHECK(watched.unbounded);
  CHECK(run_line(
            "h100x8",
            "sudo sudo sudo sudo sudo sudo sudo sudo sudo sudo sudo sudo sudo sudo sudo sudo sudo sudo nproc")
            .exit == 1);
}

}  // namespace micius::emu
