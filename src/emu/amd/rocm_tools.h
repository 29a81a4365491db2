// rocminfo, the two bandwidth tests and the two profilers of ROCm.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_rocminfo(Host& host, const Args& args);
int run_rocm_bandwidth_test(Host& host, const Args& args);
int run_transferbench(Host& host, const Args& args);
int run_rocprof(Host& host, const Args& args);
int run_rocprofv3(Host& host, const Args& args);

}  // namespace micius::emu
