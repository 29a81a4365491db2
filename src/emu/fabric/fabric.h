// InfiniBand programs over the network cards of the profile.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_ibstat(Host& host, const Args& args);
int run_ibstatus(Host& host, const Args& args);
int run_ibv_devinfo(Host& host, const Args& args);
int run_ibv_devices(Host& host, const Args& args);
int run_ibdev2netdev(Host& host, const Args& args);
int run_perftest(Host& host, const Args& args);  // ib_{write,read,send,atomic}_{bw,lat}

}  // namespace micius::emu
