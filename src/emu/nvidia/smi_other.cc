// nvidia-smi's help and its small subcommands.
#include <algorithm>

#include "base/text.h"
#include "emu/nvidia/smi_internal.h"

namespace micius::emu::smi {

int help(Host& host, const CommandSpec& spec) {
  const bool main = spec.name == "nvidia-smi";
  if (main)
    host.print("NVIDIA System Management Interface -- v{}\n\n{}\n\n", host.fact_or("driver", ""),
               spec.synopsis);
  else
    host.print("\n    {} -- see the options below.\n\n    Usage: {}\n\n    Options include:\n", spec.name,
               spec.synopsis);
  for (const OptionSpec& option : spec.options)
    host.print("    {:<36}{}\n", join(option.flags, ", ") + (option.arg.empty() ? "" : " " + option.arg),
               option.help);
  if (main)
    for (const CommandSpec& child : spec.subcommands)
      host.print("    {:<36}{}\n", child.name, child.synopsis);
  return kOk;
}

namespace {

int drain(const Command& command) {
  Host& host = command.host;
  const auto device = command.parsed.value("-p");
  const auto gpus = device ? select_gpus(host, device) : std::nullopt;
  if (!gpus) return device ? not_found(host) : invalid(host);
  const std::size_t gpu = gpus->front();
  if (command.parsed.has("-q")) {
    host.print("The current drain state of GPU {} is: {}.\n", bus_id(host, gpu),
               host.gpu(gpu, "drain") == "1" ? "draining" : "not draining");
    return kOk;
  }
  if (!host.root()) {
    host.print("Failed to modify the drain state of GPU {}: Insufficient Permissions\n", bus_id(host, gpu));
    return kNoPermission;
  }
  if (const auto state = command.parsed.value("-m")) {
    if (*state != "0" && *state != "1") return invalid(host);
    host.set_gpu(gpu, "drain", *state);
    host.print("Successfully set GPU {} drain state to: {}.\n", bus_id(host, gpu),
               *state == "1" ? "draining" : "not draining");
    return kOk;
  }
  if (command.parsed.has("-r")) {
    host.set_gpu(gpu, "drain", "removed");
    host.print("Successfully removed GPU {}.\n", bus_id(host, gpu));
    return kOk;
  }
  return invalid(host);
}

int sessions(const Command& command, const char* head, const char* units) {
  command.host.print("# GPU  {}\n# Idx  {}\n", head, units);
  for (std::size_t gpu : command.gpus) command.host.print("  {:>3}  -\n", gpu);
  if (command.parsed.has("-l")) command.host.unbounded();
  return kOk;
}

int base_clocks(const Command& command) {
  for (std::size_t gpu : command.gpus)
    command.host.print("GPU {}: Graphics Base Clock: {} MHz\n", gpu,
                       command.host.gpu(gpu, "clocks.idle.graphics").value_or("N/A"));
  return kOk;
}

int pci(const Command& command) {
  for (std::size_t gpu : command.gpus) {
    command.host.print("GPU {}: {} (UUID: {})\n", gpu, gpu_name(command.host), gpu_uuid(command.host, gpu));
    command.host.print("\t REPLAY_COUNTER: {}\n", command.host.gpu(gpu, "pcie.replays").value_or("0"));
  }
  return kOk;
}

int compute_policy(const Command& command) {
  Host& host = command.host;
  static constexpr const char* kSlices[] = {"DEFAULT", "SHORT", "MEDIUM", "LONG"};
  if (const auto slice = command.parsed.value("--set-timeslice")) {
    if (slice->size() != 1 || (*slice)[0] < '0' || (*slice)[0] > '3') return invalid(host);
    if (!host.root()) {
      host.out("Failed to set timeslice policy: Insufficient Permissions\n");
      return kNoPermission;
    }
    for (std::size_t gpu : command.gpus) {
      host.set_gpu(gpu, "timeslice", *slice);
      host.print("Timeslice set to {} for GPU {}\n", kSlices[(*slice)[0] - '0'], bus_id(host, gpu));
    }
    return kOk;
  }
  for (std::size_t gpu : command.gpus)
    host.print("GPU {}: Timeslice: {}\n", gpu, kSlices[host.gpu(gpu, "timeslice").value_or("0")[0] - '0']);
  return kOk;
}

}  // namespace

int other(const Command& command) {
  Host& host = command.host;
  const std::string& name = command.parsed.command->name;
  if (name == "drain") return drain(command);
  if (name == "encodersessions")
    return sessions(command, "Session  Process   Codec      H      V  Average  Average",
                    "Id       Id        Type     Res    Res      FPS  Latency(us)");
  if (name == "fbcsessions")
    return sessions(command, "Session  Process  Display  Session  Max X  Max Y  X  Y  Average  Average",
                    "Id       Id       Ordinal  Type     Res    Res  Res Res  FPS  Latency(us)");
  if (name == "base-clocks") return base_clocks(command);
  if (name == "pci") return pci(command);
  if (name == "compute-policy") return compute_policy(command);
  if (name == "vgpu") {
    host.out("No supported devices in vGPU mode\n");
    return kUnsupported;
  }
  if (name == "c2c") {
    host.out("Device does not have or support C2C\n");
    return kOk;
  }
  if (command.parsed.options.empty()) return help(host, *command.parsed.command);
  host.out("Not supported on the device(s)\n");
  return kUnsupported;
}

}  // namespace micius::emu::smi
