// The `*_perf` programs of rccl-tests.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_rccl_perf(Host& host, const Args& args);

}  // namespace micius::emu
