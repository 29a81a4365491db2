// The client in a real sandbox: shell, pipes, redirections and compiled programs around emulated ones.
#include <catch2/catch.hpp>

#include "emu/registry.h"
#include "emu/wire.h"
#include "emu_data.h"
#include "sandbox/sandbox.h"
#include "source_tree.h"

namespace micius::emu {
namespace {

struct Run {
  ExecResult result;
  State state;
};

Run run_in(Sandbox& sandbox, const std::string& command) {
  const Profile& profile = catalog().profile("h100x8");
  Run run;
  ExecRequest request;
  request.argv = {"bash", "--noprofile", "--norc", "-c", command};
  request.files = {{"app.cu", "__global__ void add(float* x) { x[0] = 1; }\n", false},
                   {"build/all_reduce_perf", "#!/run/micius/bin/all_reduce_perf\n", true}};
  request.served =
      ServedPrograms{program_names(profile.platform), [&](const ServedCall& asked) {
                       auto call = decode_call(asked.message);
                       if (call) call->lineage = asked.lineage;
                       return call ? encode_outcome(emu::run(profile, run.state, *call)) : std::string();
                     }};
  run.result = sandbox.run(request);
  return run;
}

}  // namespace

TEST_CASE("emulated programs work inside a shell in the sandbox") {
  const SandboxOffer offer = make_sandbox(
      {.box_program = built_inside() / "micius-box", .client_program = built_inside() / "micius-emu"});
  if (!offer.sandbox) {
    WARN("skipped: " << offer.why_not);
    return;
  }
  Sandbox& sandbox = *offer.sandbox;
  const Run piped = run_in(sandbox, "nvidia-smi -L | wc -l && nvidia-smi -q -x -f gpu.xml");
  CHECK(piped.result.out == "8\n");
  REQUIRE(piped.result.files.size() == 1);
  CHECK(piped.result.files[0].path == "/job/gpu.xml");

  const Run set = run_in(sandbox,
                         "nvidia-smi -pm 0; sudo nvidia-smi -i 0 -pm 0; nvidia-smi -i 0 "
                         "--query-gpu=persistence_mode --format=csv,noheader");
  CHECK(set.result.exit_code == 0);
  CHECK(set.result.out.find("Insufficient Permissions") != std::string::npos);
  CHECK(set.result.out.find("\nDisabled\n") != std::string::npos);
  CHECK(state_diff(set.state) == R"({"gpu0.persistence_mode":"Disabled"})");

  CHECK(run_in(sandbox, "nvcc -arch=sm_90 app.cu -o app && ./app").result.out ==
        "Device 0: NVIDIA H100 80GB HBM3\nResult = PASS\n");
  const Run perf =
      run_in(sandbox, "NCCL_ALGO=Ring ./build/all_reduce_perf -b 8 -e 8 -g 8 | grep -c '^#  Rank'");
  CHECK(perf.result.out == "8\n");
  CHECK(perf.state.env_read.count("NCCL_ALGO=Ring") == 1);
  CHECK(run_in(sandbox, "sudo cat app.cu").result.out.find("__global__") == 0);
  CHECK(run_in(sandbox, "sudo bash -c 'nvidia-smi -i 0 -pl 300'").result.exit_code == 0);
  // Nothing makes root but sudo, and that only what is below it.
  const Run below = run_in(sandbox,
                           "sudo bash -c 'nvidia-smi -i 0 -pl 300; (nvidia-smi -i 1 -pl 300; true); true';"
                           "nvidia-smi -i 2 -pl 300");
  CHECK(below.result.exit_code == 4);
  CHECK(below.state.values.count("gpu1.power.limit") == 1);
  CHECK(below.state.values.count("gpu2.power.limit") == 0);
  CHECK(run_in(sandbox, "MICIUS_EMU_ROOT=1 nvidia-smi -i 0 -pl 300").result.exit_code == 4);
  CHECK(run_in(sandbox, "sudo env -u SHLVL | sort").result.out ==
        "HOME=/home/user\nLANG=C.UTF-8\nPATH=/run/micius/bin:/usr/bin:/bin\nPWD=/job\nTZ=UTC\n"
        "_=/run/micius/bin/sudo\n");
  CHECK(run_in(sandbox, "rocm-smi").result.exit_code == 127);
  CHECK(run_in(sandbox, "nvcc missing.cu").result.exit_code == 1);
}

}  // namespace micius::emu
