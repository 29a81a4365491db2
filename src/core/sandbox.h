// Runs programs that nobody trusts, under limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace micius {

// AIMicius 2.5; a request may lower or raise each.
struct ExecLimits {
  std::chrono::milliseconds wall{10'000};
  std::chrono::milliseconds cpu{5'000};
  std::int64_t memory_bytes = 512 << 20;  // address space of a process, and of all where a cgroup may be had
  int processes = 64;
  int open_files = 64;
  std::int64_t file_bytes = 16 << 20;    // the largest file, and each writable folder's size
  std::int64_t output_bytes = 1 << 20;   // of stdout and of stderr each; what is over is cut
  std::int64_t changed_bytes = 4 << 20;  // of all `ExecResult::files` together; what is over is left out
};

struct ExecFile {
  std::string path;  // absolute as the program sees it, or relative to /job in a request
  std::string content;
  bool executable = false;
};

// Where the served programs are inside. A file of a request whose first line is "#!" and a path below this
// folder is such a program too.
inline constexpr char kServedFolder[] = "/run/micius/bin";

inline constexpr int kServedCalls = 200;  // of one request

struct ServedCall {
  std::string_view message;
  // The number of the process that asks, of its parent and so on, as the sandbox sees them: no program in it
  // can say that it is below another.
  std::vector<int> lineage;
};

// Programs that are answered from outside. In the sandbox each name is the client program, first on PATH,
// which sends one message a call and does what the answer says.
struct ServedPrograms {
  std::vector<std::string> names;  // "nvidia-smi"
  // One message in, one out, both of at most 1 MiB, at most kServedCalls; called from the thread inside
  // run().
  std::function<std::string(const ServedCall& call)> answer;
};

struct ExecRequest {
  std::vector<std::string> argv;  // argv[0] is looked up on PATH
  std::string stdin_text;
  std::vector<std::pair<std::string, std::string>> env;  // all of the environment beside PATH, HOME, LANG, TZ
  std::vector<ExecFile> files;                           // laid in /job, the folder where the program starts
  ExecLimits limits;
  std::optional<ServedPrograms> served;
  bool python = false;  // python3 with its standard library is there beside the tool set
};

struct ExecResult {
  int exit_code = 0;          // as a shell gives it: 128 + signal for a program that a signal ended
  std::optional<int> signal;  // the signal that ended the program
  std::string out, err;       // bytes, as they came
  bool timed_out = false;     // by wall or CPU time
  bool out_of_memory = false;
  bool truncated = false;       // out, err or files are not whole
  std::vector<ExecFile> files;  // made or changed under /job, /tmp, /home/user; by path
  std::chrono::nanoseconds wall{0};
};

// Every run begins in the same clean state, and nothing of it is left: no process, no file. Safe to call from
// several threads.
class Sandbox {
 public:
  virtual ~Sandbox() = default;
  // What the program does, however bad, is data in the result. Throws Error{kIo} only where the sandbox
  // itself failed.
  [[nodiscard]] virtual ExecResult run(const ExecRequest& request) = 0;
};

}  // namespace micius
