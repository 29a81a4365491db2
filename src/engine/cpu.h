// What this CPU can do, and the instruction sets that the ops are built for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

// In rising order: a machine that has one has all before it.
enum class Isa {
  kPlain,   // C++ alone
  kAvx2,    // AVX2, FMA, F16C
  kAvx512,  // AVX-512 F, BW, VL, DQ, VNNI
  kAmx,     // AMX TILE and INT8
};

std::string_view isa_name(Isa isa);  // "plain", "avx2", "avx512", "amx"
// The best set that both the CPU (cpuid) and the operating system (XCR0; for AMX its leave to this process)
// support.
Isa best_isa();
std::vector<Isa> usable_isas();  // kPlain to best_isa()
// Throws Error{kUsage} for an unknown name and Error{kUnsupported} for a set that this machine lacks.
Isa isa_from(std::string_view name);
// How many bytes ahead of a long read the ops fetch by software; 0 where the processor does better by itself.
std::size_t fetch_ahead();
std::string cpu_name();  // the brand string, "unknown" where there is none

}  // namespace micius
