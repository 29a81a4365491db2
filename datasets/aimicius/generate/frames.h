// Sentence frames with slots: "How warm is {gpu}?".
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/error.h"

namespace micius::aimicius {

// Calls text(part) and slot(name) for the parts of `frame` in order. Throws Error{kInvalidData} that begins
// with `where` for a brace without its end.
template <typename OnText, typename OnSlot>
void for_each_part(const std::string& frame, std::string_view where, OnText&& text, OnSlot&& slot) {
  for (std::size_t at = 0; at < frame.size();) {
    const std::size_t open = std::min(frame.find('{', at), frame.size());
    if (open > at) text(frame.substr(at, open - at));
    if (open == frame.size()) return;
    const std::size_t close = frame.find('}', open);
    if (close == std::string::npos) fail(ErrorCode::kInvalidData, "{}: '{}' has an open brace", where, frame);
    slot(frame.substr(open + 1, close - open - 1));
    at = close + 1;
  }
}

}  // namespace micius::aimicius
