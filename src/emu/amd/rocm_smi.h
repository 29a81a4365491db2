// rocm-smi as ROCm 6.3 has it.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_rocm_smi(Host& host, const Args& args);

}  // namespace micius::emu
