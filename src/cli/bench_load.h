// `micius bench load`: latencies of a server under a load that does not wait for it.
#pragma once

#include <memory>

#include "cli/command.h"

namespace micius {

std::unique_ptr<Command> make_bench_load_command();

}  // namespace micius
