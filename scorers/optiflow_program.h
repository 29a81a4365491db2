// Runs the program of an answer and keeps what it printed.
#pragma once

#include <mutex>
#include <string>

#include "core/sandbox.h"
#include "plan/machine.h"
#include "scorers/extract.h"

namespace micius {

struct ProgramResult {
  bool is_code = true;      // false: what was tried because it might be a program does not compile
  bool ended_well = false;  // status 0 within the limits
  std::string printed;      // by whatever way: print, sys.stdout.buffer, os.write, at its exit
  std::string error;        // why it did not end well: the last line of its stderr, or the limit it met
};

// The host's CPython 3 in the sandbox: 10 s, 512 MiB, one process, 4 MiB of output, an empty folder, the
// standard library, no environment but a fixed hash seed. Before the program's first line GPU_COUNT,
// CHUNKS_PER_GPU, LATENCY and BANDWIDTH (lists of lists, float('inf') for null) are defined. If nothing that
// reads as a step was printed at its end, `new_plan` is printed, else `plan`, else what
// generate_plan(GPU_COUNT, CHUNKS_PER_GPU) gives: a forgotten print is not what is tested.
class PlanPrograms {
 public:
  // Borrows the sandbox, which must outlive it.
  explicit PlanPrograms(Sandbox& sandbox) : sandbox_(sandbox) {}

  // "3.11.7", or "" where the sandbox has no python3. Asked once.
  const std::string& python_version();

  // Throws Error{kIo} where the sandbox itself failed.
  ProgramResult run(const PythonCode& code, const Json& machine, int chunks_per_gpu);

 private:
  Sandbox& sandbox_;
  std::once_flag asked_;
  std::string version_;
};

}  // namespace micius
