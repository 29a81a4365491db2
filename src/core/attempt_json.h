// Attempts as JSON: for the store and run files.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "core/completion.h"

namespace micius {

// [{"part", "began_ns", "ended_ns", "status", "code", "message", "wait_asked_ns", "waited_ns", "request_id",
// "bytes", "invalid_utf8_sha256"}]; what is 0, "" or absent is left out, but for the two times.
Json to_json(const std::vector<Attempt>& attempts);
// Throws Error{kInvalidData} naming `where`.
std::vector<Attempt> attempts_from_json(const Json& json, const std::string& where);

}  // namespace micius
