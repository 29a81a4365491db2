// A prompt that is too long for its model, made shorter at its beginning. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "core/prompt.h"

namespace micius {

// What a server says of a prompt that is too long, in tokens.
struct ContextNumbers {
  int limit = 0;   // that the model takes, with what it writes
  int prompt = 0;  // that were sent
};

// "This model's maximum context length is 4097 tokens. However, you requested 5360 tokens (4860 in the
// messages, 500 in the completion).", "prompt is too long: 203456 tokens > 200000 maximum", "the request (900
// tokens) exceeds the available context size (512 tokens)". Absent where the words do not say both.
std::optional<ContextNumbers> context_numbers(std::string_view message);

// How many of a prompt's bytes are to be kept, so that `max_tokens` can still be written; half of them where
// the server says nothing of use.
std::size_t bytes_to_keep(std::size_t bytes, const std::optional<ContextNumbers>& numbers, int max_tokens);

// Leaves out the beginning of what is no system message, until at most `keep` bytes are left of it: whole
// messages, then the first bytes of one. What is left begins with a user's message, and the last message
// stays, if only its end.
void cut_beginning(std::vector<Message>& messages, std::size_t keep);

// Of the messages that are no system messages.
std::size_t bytes_that_can_be_cut(const std::vector<Message>& messages);

}  // namespace micius
