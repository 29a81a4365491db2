// The command line that repeats a run.
#pragma once

#include <string>

#include "core/run.h"

namespace micius {

// A word as a POSIX shell takes it: in single quotes unless it needs none.
std::string shell_word(const std::string& word);

// `micius run TASK --model M ...` with what the spec says beside the defaults that all tasks share.
std::string repeat_command(const RunSpec& spec);

// The same with the stored answers of `run` in place of the model, all samples of it: what scores them again
// once `--sample-ids` is added.
std::string replay_command(RunSpec spec, RunId run);

}  // namespace micius
