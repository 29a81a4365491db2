// hipcc and hipconfig.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_hipcc(Host& host, const Args& args);
int run_hipconfig(Host& host, const Args& args);

}  // namespace micius::emu
