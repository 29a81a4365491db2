// The parts of rocm-smi: a report is a row of sections, each framed by lines of '='. Under --json and --csv
// the same sections only fill `data`, which is printed at the end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emu/amd/values.h"

namespace micius::emu::amd {

struct RocmSmi {
  Host& host;
  const Parsed& parsed;
  std::vector<std::size_t> gpus;  // chosen by -d, or all
  bool collect = false;           // --json or --csv
  Json data;                      // {"card0": {name: value}, "system": {...}}
  std::optional<int> stop = {};   // the program ends here, with this status and without the last frame

  void spacer(std::string_view title = {}, char fill = '=', std::size_t width = 90);
  void log(std::size_t gpu, const std::string& name, const std::optional<std::string>& value = {});
  void log_system(const std::string& name, const std::string& value);
  void line(std::string_view text);  // plain text; nothing under --json
  void warn(std::string_view level, std::string_view text);
};

struct Section {
  const char* option;
  void (*show)(RocmSmi&, const Given&);  // null: the layout has its lines
};

// In the order in which the tool prints them.
const std::vector<Section>& show_sections();
void show_layout(RocmSmi& smi, std::string_view option);
bool is_set(const Parsed& parsed);
void set(RocmSmi& smi);

void concise(RocmSmi& smi);
void concise_hardware(RocmSmi& smi, const Given&);
void show_topology(RocmSmi& smi, const Given& given);
void show_nodes_bandwidth(RocmSmi& smi, const Given&);

}  // namespace micius::emu::amd
