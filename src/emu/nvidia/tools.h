// NVIDIA's tools beside nvidia-smi.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_dcgmi(Host& host, const Args& args);
int run_nvbandwidth(Host& host, const Args& args);
int run_nsys(Host& host, const Args& args);
int run_ncu(Host& host, const Args& args);
int run_compute_sanitizer(Host& host, const Args& args);
int run_nvidia_settings(Host& host, const Args& args);

}  // namespace micius::emu
