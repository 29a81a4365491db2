#include "emu/registry.h"

#include <algorithm>

#include "emu/amd/amd_smi.h"
#include "emu/amd/hip.h"
#include "emu/amd/rccl.h"
#include "emu/amd/rocm_smi.h"
#include "emu/amd/rocm_tools.h"
#include "emu/cuda/nvcc.h"
#include "emu/fabric/fabric.h"
#include "emu/nccl/perf.h"
#include "emu/node/node.h"
#include "emu/nvidia/smi.h"
#include "emu/nvidia/tools.h"
#include "emu/shim/shim.h"
#include "emu/superbench/sb.h"

namespace micius::emu {
namespace {

constexpr Program kPrograms[] = {
    {"rocm-smi", Platform::kAmd, run_rocm_smi},
    {"amd-smi", Platform::kAmd, run_amd_smi},
    {"all_reduce_perf", Platform::kAmd, run_rccl_perf},
    {"all_gather_perf", Platform::kAmd, run_rccl_perf},
    {"reduce_scatter_perf", Platform::kAmd, run_rccl_perf},
    {"alltoall_perf", Platform::kAmd, run_rccl_perf},
    {"alltoallv_perf", Platform::kAmd, run_rccl_perf},
    {"broadcast_perf", Platform::kAmd, run_rccl_perf},
    {"reduce_perf", Platform::kAmd, run_rccl_perf},
    {"gather_perf", Platform::kAmd, run_rccl_perf},
    {"scatter_perf", Platform::kAmd, run_rccl_perf},
    {"sendrecv_perf", Platform::kAmd, run_rccl_perf},
    {"hypercube_perf", Platform::kAmd, run_rccl_perf},
    {"hipcc", Platform::kAmd, run_hipcc},
    {"hipconfig", Platform::kAmd, run_hipconfig},
    {"rocminfo", Platform::kAmd, run_rocminfo},
    {"rocm-bandwidth-test", Platform::kAmd, run_rocm_bandwidth_test},
    {"rocm_bandwidth_test", Platform::kAmd, run_rocm_bandwidth_test},
    {"TransferBench", Platform::kAmd, run_transferbench},
    {"rocprof", Platform::kAmd, run_rocprof},
    {"rocprofv3", Platform::kAmd, run_rocprofv3},
    {"nvidia-smi", Platform::kNvidia, run_nvidia_smi},
    {"all_reduce_perf", Platform::kNvidia, run_nccl_perf},
    {"all_gather_perf", Platform::kNvidia, run_nccl_perf},
    {"reduce_scatter_perf", Platform::kNvidia, run_nccl_perf},
    {"alltoall_perf", Platform::kNvidia, run_nccl_perf},
    {"alltoallv_perf", Platform::kNvidia, run_nccl_perf},
    {"broadcast_perf", Platform::kNvidia, run_nccl_perf},
    {"reduce_perf", Platform::kNvidia, run_nccl_perf},
    {"gather_perf", Platform::kNvidia, run_nccl_perf},
    {"scatter_perf", Platform::kNvidia, run_nccl_perf},
    {"sendrecv_perf", Platform::kNvidia, run_nccl_perf},
    {"hypercube_perf", Platform::kNvidia, run_nccl_perf},
    {"nvcc", Platform::kNvidia, run_nvcc},
    {"gpu-app", Platform::kBoth, run_gpu_app},
    {"dcgmi", Platform::kNvidia, run_dcgmi},
    {"nvbandwidth", Platform::kNvidia, run_nvbandwidth},
    {"nsys", Platform::kNvidia, run_nsys},
    {"ncu", Platform::kNvidia, run_ncu},
    {"compute-sanitizer", Platform::kNvidia, run_compute_sanitizer},
    {"nvidia-settings", Platform::kNvidia, run_nvidia_settings},
    {"lspci", Platform::kBoth, run_lspci},
    {"numactl", Platform::kBoth, run_numactl},
    {"modinfo", Platform::kBoth, run_modinfo},
    {"lsmod", Platform::kBoth, run_lsmod},
    {"dmesg", Platform::kBoth, run_dmesg},
    {"ibstat", Platform::kBoth, run_ibstat},
    {"ibstatus", Platform::kBoth, run_ibstatus},
    {"ibv_devinfo", Platform::kBoth, run_ibv_devinfo},
    {"ibv_devices", Platform::kBoth, run_ibv_devices},
    {"ibdev2netdev", Platform::kBoth, run_ibdev2netdev},
    {"ib_write_bw", Platform::kBoth, run_perftest},
    {"ib_write_lat", Platform::kBoth, run_perftest},
    {"ib_read_bw", Platform::kBoth, run_perftest},
    {"ib_read_lat", Platform::kBoth, run_perftest},
    {"ib_send_bw", Platform::kBoth, run_perftest},
    {"ib_send_lat", Platform::kBoth, run_perftest},
    {"ib_atomic_bw", Platform::kBoth, run_perftest},
    {"ib_atomic_lat", Platform::kBoth, run_perftest},
    {"sb", Platform::kBoth, run_sb},
    {"mpirun", Platform::kBoth, run_mpirun},
    {"sudo", Platform::kBoth, run_sudo},
    {"watch", Platform::kBoth, run_watch},
    {"timeout", Platform::kBoth, run_timeout},
    {"sleep", Platform::kBoth, run_sleep},
    {"docker", Platform::kBoth, run_docker},
    {"date", Platform::kBoth, run_date},
    {"hostname", Platform::kBoth, run_hostname},
    {"nproc", Platform::kBoth, run_nproc},
    {"lscpu", Platform::kBoth, run_lscpu},
    {"free", Platform::kBoth, run_free},
    {"uname", Platform::kBoth, run_uname},
};

bool fits(const Program& program, std::string_view platform) {
  return program.platform == Platform::kBoth || (program.platform == Platform::kAmd) == (platform == "amd");
}

}  // namespace

std::span<const Program> programs() { return kPrograms; }

const Program* find_program(std::string_view word, std::string_view platform) {
  const std::string_view name = word.substr(word.rfind('/') + 1);
  const auto* found = std::find_if(std::begin(kPrograms), std::end(kPrograms), [&](const Program& program) {
    return program.name == name && fits(program, platform);
  });
  return found == std::end(kPrograms) ? nullptr : found;
}

std::vector<std::string> program_names(std::string_view platform) {
  std::vector<std::string> names;
  for (const Program& program : kPrograms)
    if (fits(program, platform)) names.emplace_back(program.name);
  return names;
}

}  // namespace micius::emu
