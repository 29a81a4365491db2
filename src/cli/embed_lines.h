// The loop of `micius engine embed`.
#pragma once

#include <iosfwd>

#include "cli/command.h"
#include "cli/line_reader.h"
#include "engine/encoder.h"

namespace micius {

// Answers each line {"text": ".."} of `in` with {"embedding": [..]} or {"error": "line 3: .."}, in order;
// lines that are there together are one batch. kFailed if a line was answered by an error.
ExitCode embed_lines(Encoder& encoder, LineReader& in, std::ostream& out);

}  // namespace micius
