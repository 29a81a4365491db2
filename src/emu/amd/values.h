// What the ROCm tools read of a GPU: fields of the profile with the sandbox's changes over them, and what
// follows from them. A GPU here is what the driver shows: a whole one, a die, or a partition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emu/host.h"

namespace micius::emu::amd {

// A field as text, without its unit; absent where the GPU has none.
std::optional<std::string> field(const Host& host, std::size_t gpu, std::string_view key);

// `text` with each {key} replaced by its field; the whole is "N/A" if one of them is absent.
std::string fill(const Host& host, std::size_t gpu, std::string_view text);

// "": always; "key": the GPU has the field; "!key": it has not.
bool holds(const Host& host, std::size_t gpu, std::string_view condition);

struct Clock {
  std::vector<std::string> steps;  // "900Mhz", "32.0GT/s x16"
  std::size_t current = 0;
  bool sleeps = false;  // the first step is deep sleep, called S
  std::string name_of(std::size_t step) const;
};
// The steps of "sclk", "mclk", "fclk", "socclk" or "pcie". The performance level and the levels that a set
// command allows choose the current one.
std::optional<Clock> clock(const Host& host, std::size_t gpu, const std::string& name);

std::int64_t link_weight(const Host& host, std::size_t from, std::size_t to);
inline std::int64_t link_hops(std::int64_t weight) { return (weight + 14) / 15; }

struct Process {
  std::int64_t pid;
  std::string name;
  std::size_t gpu;
  std::int64_t vram, gtt, cpu, sdma, compute_units;  // bytes; busy compute units
};
std::vector<Process> processes(const Host& host);
bool busy(const Host& host, std::size_t gpu);  // a process uses it

// Python's json.dumps: ", " and ": " on one line, or with this many blanks a level.
std::string python_json(const Json& value, int indent);

bool is_integer(std::string_view text);
std::string folder(const Host& host);  // the working folder

// How Python's argparse refuses: the usage and one line on stderr. Returns 2.
int usage_error(Host& host, const ToolSpec& tool, const Parsed& parsed);
int usage_error(Host& host, const ToolSpec& tool, const CommandSpec& command, std::string_view message);
// What -h prints: usage and options, in the words of the option table.
void print_help(Host& host, const ToolSpec& tool, const CommandSpec& command);

}  // namespace micius::emu::amd
