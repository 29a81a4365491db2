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
  bool root = false;  // whatever `lineage` says
  // The processes that the caller is and descends from, as the supervisor knows them: the one that asks
  // first, none where there are no processes. Not part of the message: a program could forge it.
  std::vector<int> lineage;
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
  // Not empty: a real program (`sudo cat x`) has to take the caller's place, after `out` is printed, with
  // `exec_env` added to its environment. `exit` is then its exit status.
  std::vector<std::string> exec;
  std::map<std::string, std::string> exec_env;
};

// What one machine remembers between the calls of a sandbox, of which there may be many: what a call adds is
// bounded. The caller owns it; a fresh one is the machine of the profile.
struct State {
  // Only what differs from the profile: "gpu1.power.limit" -> "400.00"; a value's first 4 KiB.
  std::map<std::string, std::string> values;
  std::set<std::string> env_read;  // "NCCL_ALGO=Ring": variables that an emulated program read, as long
  std::set<std::string> columns;   // "index,temperature.gpu": the fields of a CSV report, as long
  std::int64_t virtual_ns = 0;     // since the profile's clock
  bool unbounded = false;          // some program would never have ended
  std::map<std::string, std::size_t> runs;  // of each program, how often
  // Processes that became a real program by `sudo`: who descends from one is root.
  std::set<int> root_processes;
};

// The changed values as one JSON object, keys in order; "{}" for an untouched machine.
std::string state_diff(const State& state);

// The first line of a compiled program: it names the client as its interpreter, under the name of `gpu-app`.
inline constexpr const char* kAppLine = "#!/run/micius/bin/gpu-app\n";

}  // namespace micius::emu
