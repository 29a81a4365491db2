// rccl-tests, hipcc, hipconfig, rocminfo, the bandwidth tests and the profilers.
#include <catch2/catch.hpp>

#include "emu_data.h"

namespace micius::emu {
namespace {

const Files kSource = {{"/job/saxpy.hip", "__global__ void saxpy(float a, float* x) {}\nint main() {}\n"}};

Outcome compile(const std::string& line) {
  State state;
  return run_line("mi300x8", line, state, kSource);
}

}  // namespace

TEST_CASE("rccl-tests meet their anchor and show their options") {
  const Outcome outcome = run_line("mi300x8", "./build/all_reduce_perf -b 8G -e 8G -g 8");
  CHECK(outcome.out.find("rccl-tests: Version develop:ae3e635\n") != std::string::npos);
  CHECK(outcome.out.find("  314.8") != std::string::npos);
  CHECK(run_line("mi300x8", "all_reduce_perf -b 8 -e 8 -g 8").out.find("    17.00") != std::string::npos);
  const std::string plain = run_line("mi300x8", "all_reduce_perf -b 1M -e 1G -f 2 -g 8").out;
  for (const char* line : {"all_reduce_perf -b 1M -e 1G -f 2 -g 8 -Y fine",
                           "RCCL_MSCCL_ENABLE=0 all_reduce_perf -b 1M -e 1G -f 2 -g 8",
                           "NCCL_MIN_NCHANNELS=112 all_reduce_perf -b 1M -e 1G -f 2 -g 8"})
    CHECK(run_line("mi300x8", line).out != plain);
  const Outcome too_many = run_line("mi300x8", "all_reduce_perf -g 9");
  CHECK(too_many.exit == 1);
  CHECK(too_many.err ==
        "[ERROR] The number of requested GPUs (9) is greater than the number of GPUs available (8)\n");
  CHECK(
      run_line("mi300x8-2n", "mpirun -np 16 -H node1:8,node2:8 ./build/all_reduce_perf -b 8 -e 16G -f 2 -g 1")
          .exit == 0);
  CHECK(run_line("mi300x8-cpx", "all_gather_perf -b 1M -e 1M -g 64").exit == 0);
}

TEST_CASE("hipcc leaves a file with its canonical options") {
  const Outcome outcome = compile("hipcc --offload-arch=gfx942 saxpy.hip -o saxpy");
  REQUIRE(outcome.writes.size() == 1);
  CHECK(outcome.writes[0].path == "/job/saxpy");
  CHECK(outcome.writes[0].executable);
  CHECK(outcome.writes[0].content ==
        compile("hipcc -o saxpy saxpy.hip --offload-arch=gfx942 -O3").writes[0].content);
  CHECK(outcome.writes[0].content ==
        compile("hipcc saxpy.hip --offload-arch=native -osaxpy").writes[0].content);
  for (const char* other : {"hipcc -O2 --offload-arch=gfx942 saxpy.hip -o saxpy",
                            "hipcc --offload-arch=gfx90a saxpy.hip -o saxpy",
                            "hipcc -g --offload-arch=gfx942 saxpy.hip -o saxpy"})
    CHECK(compile(other).writes[0].content != outcome.writes[0].content);
  CHECK(compile("hipcc -c saxpy.hip").writes[0].path == "/job/saxpy.o");
  CHECK(compile("hipcc --save-temps --offload-arch=gfx90a:xnack+ saxpy.hip").writes.size() == 4);
  CHECK(compile("hipcc -Rpass-analysis=kernel-resource-usage -c saxpy.hip")
            .err.find("Function Name: _Z5saxpy") != std::string::npos);
}

TEST_CASE("hipcc refuses what clang refuses") {
  struct Case {
    const char *line, *text;
  };
  for (const Case& each : {Case{"hipcc --made-up saxpy.hip", "unknown argument: '--made-up'"},
                           Case{"hipcc --offload-arch=gfx1 saxpy.hip", "invalid target ID 'gfx1'"},
                           Case{"hipcc --offload-arch=gfx942:fast saxpy.hip", "invalid target ID"},
                           Case{"hipcc nothing.hip", "no such file or directory: 'nothing.hip'"},
                           Case{"hipcc", "no input files"},
                           Case{"hipcc saxpy.hip -lnothing", "unable to find library -lnothing"}}) {
    INFO(each.line);
    const Outcome outcome = compile(each.line);
    CHECK(outcome.exit == 1);
    CHECK(outcome.err.find(each.text) != std::string::npos);
    CHECK(outcome.writes.empty());
  }
}

TEST_CASE("the profilers run a program and leave files") {
  State state;
  const Files files = {{"/job/app", compile("hipcc saxpy.hip -o app").writes[0].content}};
  const Outcome traced =
      run_line("mi300x8", "rocprofv3 --kernel-trace --stats -d out -o run -- ./app", state, files);
  CHECK(traced.exit == 0);
  CHECK(traced.out.find("Result = PASS") != std::string::npos);
  REQUIRE(traced.writes.size() == 3);
  CHECK(traced.writes[1].path == "/job/out/run_kernel_trace.csv");
  CHECK(traced.writes[1].content.find("saxpy_kernel") != std::string::npos);
  const Outcome profiled = run_line("mi300x8", "rocprof --stats -o r.csv ./app", state, files);
  CHECK(profiled.writes.size() == 2);
  CHECK(run_line("mi300x8", "rocprofv3 --kernel-trace").exit == 2);
}

TEST_CASE("rocminfo and the bandwidth tests read the profile") {
  CHECK(run_line("mi300x8", "HSA_XNACK=1 rocminfo").out.find("gfx942:sramecc+:xnack+") != std::string::npos);
  CHECK(run_line("mi250x8", "rocminfo").out.find("Agent 10  ") != std::string::npos);
  CHECK(run_line("mi300x8", "rocm-bandwidth-test -s 0 -d 10").exit == 1);
  CHECK(run_line("mi300x8", "rocm-bandwidth-test -a -l").exit == 1);
  CHECK(run_line("mi300x8", "rocm-bandwidth-test -a").out.find("Bidirectional") == std::string::npos);
  CHECK(run_line("mi300x8", "./TransferBench p2p 64M").out.find("Bytes Per Direction 67108864\n") !=
        std::string::npos);
  CHECK(run_line("mi300x8", "NUM_GPU_DEVICES=2 TransferBench p2p").out.find("GPU 02") == std::string::npos);
  CHECK(run_line("mi300x8", "TransferBench nothing.cfg").exit == 1);
  CHECK(run_line("mi300x8", "hipconfig -P").out == "amd");
}

}  // namespace micius::emu
