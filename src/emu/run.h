// The emulated GPU host: a pure function from a machine, its state and a call to what the call does.
//
//   const Catalog catalog("datasets/aimicius/cmdgen");
//   State state;
//   Outcome outcome = run(catalog.profile("h100x8"), state, Call{{"nvidia-smi", "-L"}});
#pragma once

#include "emu/call.h"
#include "emu/catalog.h"

namespace micius::emu {

// Same profile, state and call: same outcome and same state after it. If Outcome::needs is not empty the
// state is as before. A program that the machine does not have ends with 127. Bad words are answered as the
// real tool answers them; never throws for them. More than 1 MiB of words, or more than 20,000, is refused
// with 126. Safe to call from several threads for different states.
Outcome run(const Profile& profile, State& state, const Call& call);

}  // namespace micius::emu
