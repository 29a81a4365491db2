// One call of an emulated program: what goes in and what comes out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace micius::emu {

struct Call {
  std::vector<std::string> argv;  // argv[0] names the program; folders before it do not count
  std::map<std::string, std::string> env;
  std::string cwd = "/job";
  bool root = false;  // the call comes from inside `sudo`
  // Files that an earlier answer asked for, by absolute path; absent where there is no such file.
  std::map<std::string, std::optional<std::string>> files;
};

struct FileWrite {
  std::string path;  // absolute
  std::string content;
  bool executable = false;
};

struct Outcome {
  std::string out, err;
  int exit = 0;
  std::vector<FileWrite> writes;
  std::int64_t advance_ns = 0;  // how far the virtual clock went
  // Not empty: nothing was done; call again with these files. Everything else is then empty.
  std::vector<std::string> needs;
  // Not empty: a real program (`sudo cat x`) has to be run in the caller's place, after `out` is printed,
  // with `exec_env` added to its environment. `exit` is then its exit status.
  std::vector<std::string> exec;
  std::map<std::string, std::string> exec_env;
};

struct TraceEntry {
  std::string program;
  std::vector<std::string> argv;  // its first 4 KiB
  int exit;
};

// What one machine remembers between the calls of a sandbox. The caller owns it; a fresh one is the machine
// of the profile.
struct State {
  std::map<std::string, std::string>
      values;                      // only what differs from the profile: "gpu1.power.limit" -> "400.00"
  std::set<std::string> env_read;  // "NCCL_ALGO=Ring": variables that an emulated program read
  std::int64_t virtual_ns = 0;     // since the profile's clock
  bool unbounded = false;          // some program would never have ended
  std::vector<TraceEntry> trace;
};

// The changed values as one JSON object, keys in order; "{}" for an untouched machine.
std::string state_diff(const State& state);

// The first line of a compiled program: it names the client as its interpreter, under the name of `gpu-app`.
inline constexpr const char* kAppLine = "#!/run/micius/bin/gpu-app\n";

// The environment variable that marks a real child of `sudo`; emulated programs below it are root.
inline constexpr const char* kRootVariable = "MICIUS_EMU_ROOT";

}  // namespace micius::emu
