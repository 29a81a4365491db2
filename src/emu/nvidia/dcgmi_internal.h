// The parts of dcgmi.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emu/host.h"

namespace micius::emu::dcgm {

struct Command {
  Host& host;
  const Parsed& parsed;
};

inline const std::string kTwoColumns =
    "+---------------------------+----------------------------------------------------------+\n";
void row(Host& host, std::string_view left, std::string_view right);  // of two columns

int error(Host& host, const std::string& text, int exit = 1);  // "Error: ..."
std::optional<std::int64_t> number(const std::string& text);

// The GPUs of a group option, of an entity option, or all; absent after saying what is wrong.
std::optional<std::vector<std::size_t>> chosen(const Command& command, const char* group_option,
                                               const char* entity_option);

int health(const Command& command);
int diag(const Command& command);

}  // namespace micius::emu::dcgm
