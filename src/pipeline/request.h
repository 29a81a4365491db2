// What a runner is asked for one turn of a sample.
#pragma once

#include <cstddef>

#include "core/run.h"
#include "core/runner.h"

namespace micius {

// The same for the same turn of the same spec, whenever it is made. Id and reference answers are the
// caller's.
Request make_request(const RunSpec& spec, const Prompt& prompt, int repeat, std::size_t turn);

}  // namespace micius
