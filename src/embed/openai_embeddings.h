// The JSON shapes of POST /embeddings. Pure; nothing that a server sends makes them throw.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "core/vector_encoding.h"
#include "net/api_error.h"
#include "net/http.h"

namespace micius {

// An empty text, which servers refuse, is sent as a blank.
Json embeddings_body(std::span<const std::string> texts, const std::string& model, VectorEncoding encoding);

// A vector a text, each of length 1, in the order of the texts. Whatever was asked for, both encodings are
// read. Another number of vectors than `texts`, vectors of different sizes, one that is zero and numbers that
// are not finite are kBadResponse.
std::variant<std::vector<std::vector<float>>, ApiError> read_embeddings(
    const HttpHead& head, const std::string& body, std::size_t texts,
    std::chrono::system_clock::time_point now);

}  // namespace micius
