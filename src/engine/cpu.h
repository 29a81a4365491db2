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
enum class CacheLevel { kL1, kL2 };
// How the ops ask by software for what a long read will come to.
struct FetchAhead {
  std::size_t bytes = 0;  // from the reader on; 0: not at all, the processor does better by itself
  CacheLevel into = CacheLevel::kL1;
};
FetchAhead fetch_ahead();  // of this processor
std::string cpu_name();    // the brand string, "unknown" where there is none

}  // namespace micius
