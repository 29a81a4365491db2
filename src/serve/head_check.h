// What the head of a request may say.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "serve/refusal.h"

namespace httplib {
struct Request;
}

namespace micius {

// Why a request is refused before its body is read: no key, a body that is too large, of unknown length or
// compressed, two lengths (which other programs on the way may read in another way). `key` empty: none is
// wanted; /health wants none. The key is compared in time that does not depend on what is sent.
std::optional<Refusal> refusal_of_head(const httplib::Request& request, const std::string& key,
                                       std::size_t body_bytes);

}  // namespace micius
