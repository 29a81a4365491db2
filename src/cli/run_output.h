// What `micius run` says at its end.
#pragma once

#include <string>
#include <vector>

#include "cli/places.h"
#include "core/store.h"

namespace micius {

class Flags;

struct RunOutput {
  std::string report;  // a file, or ""
  std::string format = "text";
  bool quiet = false;
  std::string again;  // repeat_line()
};

// The results of `runs` on stdout and, where it is named, in the report's file.
void print_run_results(const Store& store, const std::vector<RunId>& runs, const RunOutput& output,
                       const PlaceFlags& places);

// The command that repeats this run, from what the user gave; how it was shown is left out.
std::string repeat_line(const Flags& command);

}  // namespace micius
