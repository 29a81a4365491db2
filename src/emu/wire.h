// Calls and outcomes as bytes, for the socket between the client in the sandbox and the supervisor. Uses the
// standard library only: the client links little else.
//
// A message is a list of fields: one letter, four bytes of length (lowest first), that many bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "emu/call.h"

namespace micius::emu {

std::string encode_call(const Call& call);
// Absent for bytes that are no call: hostile programs reach the socket too.
std::optional<Call> decode_call(std::string_view bytes);

std::string encode_outcome(const Outcome& outcome);
std::optional<Outcome> decode_outcome(std::string_view bytes);

}  // namespace micius::emu
