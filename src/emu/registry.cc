#include "emu/registry.h"

#include <algorithm>

#include "emu/nvidia/smi.h"

namespace micius::emu {
namespace {

constexpr Program kPrograms[] = {
    {"nvidia-smi", Platform::kNvidia, run_nvidia_smi},
};

bool fits(const Program& program, std::string_view platform) {
  return program.platform == Platform::kBoth || (program.platform == Platform::kAmd) == (platform == "amd");
}

}  // namespace

std::span<const Program> programs() { return kPrograms; }

const Program* find_program(std::string_view word, std::string_view platform) {
  const std::string_view name = word.substr(word.rfind('/') + 1);
  const auto* found = std::find_if(std::begin(kPrograms), std::end(kPrograms), [&](const Program& program) {
    return program.name == name && fits(program, platform);
  });
  return found == std::end(kPrograms) ? nullptr : found;
}

std::vector<std::string> program_names(std::string_view platform) {
  std::vector<std::string> names;
  for (const Program& program : kPrograms)
    if (fits(program, platform)) names.emplace_back(program.name);
  return names;
}

}  // namespace micius::emu
