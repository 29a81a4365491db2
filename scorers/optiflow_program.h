// Runs the program of an answer and keeps what it printed.
#pragma once

#include <string>

#include "plan/machine.h"
#include "scorers/extract.h"
#include "scorers/python.h"

namespace micius {

struct ProgramResult {
  bool is_code = true;      // false: what was tried because it might be a program does not compile
  bool ended_well = false;  // status 0 within the limits
  std::string printed;      // by whatever way: print, sys.stdout.buffer, os.write, at its exit
  std::string error;        // why it did not end well: the last line of its stderr, or the limit it met
};

// Runs it for at most 10 s. Before its first line GPU_COUNT, CHUNKS_PER_GPU, LATENCY and BANDWIDTH (lists of
// lists, float('inf') for null) are defined. If nothing that reads as a step was printed at its end,
// `new_plan` is printed, else `plan`, else what generate_plan(GPU_COUNT, CHUNKS_PER_GPU) gives: a forgotten
// print is not what is tested. Throws Error{kIo} where the sandbox itself failed.
ProgramResult run_plan_program(Python& python, const PythonCode& code, const Json& machine,
                               int chunks_per_gpu);

}  // namespace micius
