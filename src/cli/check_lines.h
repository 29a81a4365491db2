// What `micius check` does with one line, a checker each.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "core/services.h"

namespace micius {

struct LineCheck {
  Json answer;             // the output line
  std::string problem;     // for people; "" where nothing is wrong
  std::size_t column = 1;  // of the problem in the line, in bytes from 1
};

// Checks the object of one line; `line` is its text. Throws Error{kInvalidData} for a field that is missing
// or mistyped.
using LineChecker = std::function<LineCheck(const JsonFields& fields, std::string_view line)>;

// {"machine": {..} or "name", "chunks_per_gpu", "chunk_bytes", "plan"}: the plan's kind, time and steps, or
// what is wrong with it. Names are those of families.json below the share root, read at the first use.
LineChecker plan_checker(const std::filesystem::path& share);

// {"query"}: does the query parse, and if not, where and why; its tokens and names.
LineChecker kql_checker();
// A whole text as one query: "LINE:COLUMN: message", or "" where it parses.
std::string kql_problem(std::string_view query);

// {"profile", "command", "reference", "accepted", "compare"}: the command run on an emulated machine and
// judged against the reference (itself where there is none), with its normal form; Error{kInvalidData} too
// for a command that needs a sandbox where there is none. `services` outlives the checker.
LineChecker command_checker(const std::filesystem::path& share, Services& services);

}  // namespace micius
