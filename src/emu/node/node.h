// Programs that look at the machine below the GPU tools: PCI, NUMA, kernel.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_lspci(Host& host, const Args& args);
int run_numactl(Host& host, const Args& args);  // runs its child under the policy
int run_modinfo(Host& host, const Args& args);
int run_lsmod(Host& host, const Args& args);
int run_dmesg(Host& host, const Args& args);

}  // namespace micius::emu
