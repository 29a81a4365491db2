// How a served program (core/sandbox.h) inside the sandbox asks for its answer.
//
// Each served name is a link in kServedFolder, first on PATH, to the client program, which connects to
// kServedSocket, writes one frame (base/frames.h), reads the frame with the answer and may ask again on the
// same connection. A connection that ends without an answer means: message too long, calls used up, or no
// more of them at the same time than kServedConnections.
#pragma once

#include <cstddef>

#include "core/sandbox.h"

namespace micius {

inline constexpr char kServedSocket[] = "/run/micius/emu.sock";
inline constexpr std::size_t kServedMessageBytes = std::size_t{1} << 20;  // of question and answer each
inline constexpr std::size_t kServedConnections = 64;                     // at the same time

}  // namespace micius
