// Which jobs a model cannot do.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/job.h"

namespace micius {

// What is wrong with a job for a model of `context` positions and `vocabulary` tokens, if anything.
std::optional<JobFailure> find_fault(const Job& job, std::size_t context, std::size_t vocabulary);

}  // namespace micius
