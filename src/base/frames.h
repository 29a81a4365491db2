// Messages over a stream socket: four bytes of length, lowest first, then the bytes. For programs that live
// in the sandbox as well, so without exceptions and without any library.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace micius {

// False once the other side is gone, or for a message of 4 GiB and more. Never raises SIGPIPE.
bool write_frame(int socket, std::string_view message);

// Waits for the next message. Absent at the end of the stream, within a message too, and for one that is
// longer than `most`: what follows it cannot be read any more.
std::optional<std::string> read_frame(int socket, std::size_t most);

}  // namespace micius
