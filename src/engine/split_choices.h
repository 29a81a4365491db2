// The tokens of a question's choices, cut into what is read and what is weighed as llama.cpp's perplexity
// tool cuts them (tools/perplexity/perplexity.cpp at 050fc7f).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/job.h"

namespace micius {

struct ChoiceTokens {
  std::vector<TokenId> ids;       // of context and choice, encoded together
  std::size_t context_count = 0;  // tokens of the context encoded alone
};

// hellaswag_score and multiple_choice_score: weighed is all behind the tokens with which every choice begins.
// A choice that has nothing there gets an empty continuation.
std::vector<TokenPair> split_at_common_prefix(std::span<const ChoiceTokens> choices);

// winogrande_score: weighed is what stands behind each choice's own context, but for the last token where it
// is not the only one. Where one of them has no more than three tokens behind the common ones, all are cut at
// the common ones instead. (llama.cpp reads the wrong row for the second choice's first token then; this does
// not.)
std::vector<TokenPair> split_trailing(std::span<const ChoiceTokens> choices);

}  // namespace micius
