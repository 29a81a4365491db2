// The small programs around GPU tools: those that run another program, and those that describe the machine.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_sudo(Host& host, const Args& args);     // root for its child
int run_watch(Host& host, const Args& args);    // three rounds
int run_timeout(Host& host, const Args& args);  // ends what would not end, with 124
int run_sleep(Host& host, const Args& args);    // costs virtual time only
int run_docker(Host& host, const Args& args);   // `docker run --gpus ...` runs its command
int run_mpirun(Host& host, const Args& args);

int run_date(Host& host, const Args& args);
int run_hostname(Host& host, const Args& args);
int run_nproc(Host& host, const Args& args);
int run_lscpu(Host& host, const Args& args);
int run_free(Host& host, const Args& args);
int run_uname(Host& host, const Args& args);

// What GNU programs say of words they do not know, on stderr; returns `exit`.
int gnu_problem(Host& host, std::string_view program, const Parsed& parsed, int exit = 1);

// "2", "1.5m", "3h": in nanoseconds; absent for anything else.
std::optional<std::int64_t> read_duration(std::string_view text);

}  // namespace micius::emu
