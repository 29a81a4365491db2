// The parts of nvidia-smi; each prints on the host and returns the exit status.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emu/nvidia/values.h"

namespace micius::emu::smi {

// Exit statuses of the tool's manual.
inline constexpr int kOk = 0, kInvalid = 2, kUnsupported = 3, kNoPermission = 4, kNotFound = 6;

struct Command {
  Host& host;
  const Parsed& parsed;
  std::vector<std::size_t> gpus;  // chosen by -i, or all
  bool again = false;             // a later round of -l: no CSV header
};

int invalid(Host& host);  // "Invalid combination of input arguments..."
int not_found(Host& host);

int list(const Command& command);    // -L
int table(const Command& command);   // no words
int report(const Command& command);  // -q, with -x and -d
bool is_query(const Parsed& parsed);
int query(const Command& command);  // --query-*
int help_query(Host& host, const std::string& option);
bool is_set(const Parsed& parsed);
int set(const Command& command);
int help(Host& host, const CommandSpec& spec);

int dmon(const Command& command);
int pmon(const Command& command);
int topo(const Command& command);
int nvlink(const Command& command);
int mig(const Command& command);
int other(const Command& command);  // the small subcommands

// MIG instances of a GPU, from "profile:start:instance:ci/slices,...;...".
struct ComputeInstance {
  int id, slices;
};  // slices 0: the whole GPU instance
struct GpuInstance {
  int profile, start, id;
  std::vector<ComputeInstance> compute;
};
std::vector<GpuInstance> mig_instances(const Host& host, std::size_t gpu);
const Json* mig_profile(const Host& host, int id);

// A device as -L and the table list it: one for each compute instance, in the order of their numbers.
struct MigDevice {
  GpuInstance instance;
  ComputeInstance compute;
  std::string name, uuid;
  std::int64_t sm, copy_engines, encoders, decoders, jpeg, ofa, memory_mib, bar1_mib, used_mib;
};
std::vector<MigDevice> mig_devices(const Host& host, std::size_t gpu);

}  // namespace micius::emu::smi
