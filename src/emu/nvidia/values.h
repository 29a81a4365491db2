// What NVML would say of a GPU: the fields of --query-gpu and of the long report as text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emu/host.h"

namespace micius::emu {

// A field without its unit ("81559"); absent where the device has none. Computes what follows from other
// fields (free memory, PCI parts, list position) and reads the rest from the profile and the state.
std::optional<std::string> gpu_field(const Host& host, std::size_t gpu, std::string_view field);

bool mig_enabled(const Host& host, std::size_t gpu);
std::string bus_id(const Host& host, std::size_t gpu);
std::string gpu_uuid(const Host& host, std::size_t gpu);
std::string gpu_name(const Host& host);

// "GPU-..." style text made from a name: same name, same digits.
std::string stable_uuid(std::string_view name);

struct GpuProcess {
  int pid;
  std::string user, name, type;
  std::size_t gpu;
  std::string memory_mib;
  std::optional<std::string> sm, mem, enc;  // utilisation in percent
  std::string gi = "N/A", ci = "N/A";
};
std::vector<GpuProcess> gpu_processes(const Host& host, std::size_t gpu);

// The GPUs that "0,2", a UUID, a serial number or a PCI address name, in order; all for nullopt; absent if
// one is not there.
std::optional<std::vector<std::size_t>> select_gpus(const Host& host, const std::optional<std::string>& ids);

}  // namespace micius::emu
