// What every op is given beside its operands.
#pragma once

#include "engine/cpu.h"
#include "engine/tensor.h"
#include "engine/thread_pool.h"

namespace micius {

// Borrowed. Results of all ops are the same bits for any number of threads, any number of rows in a call and
// any order of rows; among instruction sets too.
struct OpContext {
  Isa isa = Isa::kPlain;
  ThreadPool& pool;
  Scratch& scratch;
};

}  // namespace micius
