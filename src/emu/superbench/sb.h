// sb, the command line of SuperBench 0.12.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_sb(Host& host, const Args& args);

}  // namespace micius::emu
