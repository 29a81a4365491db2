// Records and a run for them, made by a seed.
#pragma once

#include <string>

#include "core/record.h"
#include "core/run.h"

namespace micius {

// A run of `samples` samples ("s0", "s1", ..) with `repeats` repeats.
RunSpec example_spec(std::size_t samples, int repeats = 1);

// Of the size that a two-turn task with prompts of 5 kB has; always the same for the same arguments.
Record example_record(std::size_t sample, int repeat = 0);

// Anything that a record may hold.
Record random_record(std::size_t sample, int repeat, const std::string& seed);

Record failed_record(std::size_t sample, int repeat = 0);

// All that comes back from a store, as one text.
std::string all_of(const Record& record);

}  // namespace micius
