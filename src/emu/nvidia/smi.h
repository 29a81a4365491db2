// nvidia-smi as driver 590 has it.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_nvidia_smi(Host& host, const Args& args);

}  // namespace micius::emu
