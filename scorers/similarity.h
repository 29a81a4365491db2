// How alike two texts are, by an embedding.
#pragma once

#include <string>
#include <string_view>

#include "core/embedder.h"

namespace micius {

// The cosine of the two vectors, 0 where it is negative. Equal texts are 1 without asking the model.
double cosine_of(Embedder& embedder, const std::string& a, const std::string& b);

// The same for texts longer than the model reads: both are cut at line ends into windows of at most
// max_tokens(), and the sum of the cosines of windows of equal place is divided by the longer text's number
// of windows. Linear in the texts; the model reads only windows that both have and that differ, so a long
// answer to a short reference costs no more than the reference.
double long_similarity(Embedder& embedder, std::string_view a, std::string_view b);

}  // namespace micius
