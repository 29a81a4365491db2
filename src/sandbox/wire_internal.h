// What the harness and the program inside the sandbox tell each other: frames (base/frames.h) of one letter
// and a body. The one inside is trusted by nobody, so reading checks every length.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/sandbox.h"

namespace micius {

// The longest frame of either side.
inline constexpr std::size_t kWireBytes = std::size_t{1} << 28;

enum class Wire : char {
  kHello = 'h',    // to the box: the seccomp filter, as the kernel takes it
  kReady = 'y',    // from the box, once: a request may come
  kRequest = 'q',  // to the box
  kCall = 'c',     // from the box: a call of a served program
  kAnswer = 'a',   // to the box: the answer to it
  kResult = 'r',   // from the box: the end of the request
  kFailure =
      'f',  // from the box: the sandbox could not do its work; a text for people. Nothing comes after it.
};

struct WireMessage {
  Wire kind;
  std::string body;
};

bool send_wire(int socket, Wire kind, std::string_view body);
// Absent where the other side is gone or does not keep to the form.
std::optional<WireMessage> receive_wire(int socket);

std::string encode_request(const ExecRequest& request);  // all but `served->answer`
std::optional<ExecRequest> decode_request(std::string_view bytes);
std::string encode_served_call(const ServedCall& call);                // the body of kCall
std::optional<ServedCall> decode_served_call(std::string_view bytes);  // its message lies in `bytes`
std::string encode_result(const ExecResult& result);
std::optional<ExecResult> decode_result(std::string_view bytes);

}  // namespace micius
