// Renders the outcome of a gate: computes nothing.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include "core/gate.h"

namespace micius {

std::string_view name_of(GateVerdict verdict);  // pass, warn, inconclusive, fail

// "gate: fail (3 checks: 1 fail, 2 pass)".
std::string gate_line(const GateResult& result);

// "micius compare 3 7": what shows the samples behind a check, or "" where there are no two runs. `places`:
// flags that find the database.
std::string gate_command(const GateCheck& check, const std::string& places);

// Lines of at most `width` columns, but for words that are longer.
void write_gate_text(const GateResult& result, const std::string& places, std::size_t width,
                     std::ostream& out);
void write_gate_markdown(const GateResult& result, const std::string& places, std::ostream& out);
void write_gate_json(const GateResult& result, std::ostream& out);  // micius.gate/1
// One test suite a task, one test case a check; an inconclusive check is an error, a warning is system-out.
void write_gate_junit(const GateResult& result, const std::string& places, std::ostream& out);
// Annotations of GitHub Actions: one line a check that does not pass.
void write_gate_github(const GateResult& result, const std::string& places, std::ostream& out);

}  // namespace micius
