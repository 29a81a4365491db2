// The JSON shapes of Anthropic's POST /v1/messages.
#pragma once

#include <memory>
#include <string>

#include "runners/api_shape.h"

namespace micius {

// The body. System messages are its `system`; stop texts of white space alone, which the API refuses, are
// applied here. There is no seed and no min_p.
Json messages_body(const Request& request, const std::string& model, const ApiFields& fields);

// The text is that of the `text` blocks, in order; absent where there is none. Tokens that were read from a
// cache or written into it count as the prompt's.
ApiReading read_messages(const HttpHead& head, const std::string& body,
                         std::chrono::system_clock::time_point now);

// An event for a block that was ended, a block that begins twice, and text after the stop_reason make it a
// bad answer. A stream need not begin with message_start: llama.cpp's does not.
std::unique_ptr<ApiStream> messages_stream();

std::unique_ptr<ApiShape> messages_shape(const std::string& model);

}  // namespace micius
