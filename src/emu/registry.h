// Every emulated program by name: one explicit list.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "emu/host.h"

namespace micius::emu {

enum class Platform { kBoth, kNvidia, kAmd };

struct Program {
  std::string_view name;
  Platform platform;
  int (*run)(Host&, const Args&);  // returns the exit status
};

std::span<const Program> programs();

// The program of a word such as "./build/all_reduce_perf" on a machine of `platform` ("nvidia", "amd"); null
// if such a machine has none.
const Program* find_program(std::string_view word, std::string_view platform);

// The names that a sandbox of this platform serves.
std::vector<std::string> program_names(std::string_view platform);

}  // namespace micius::emu
