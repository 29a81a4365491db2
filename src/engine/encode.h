// Text to the tokens that a model reads, as lm-evaluation-harness cuts it.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/job.h"
#include "engine/tokenizer/tokenizer.h"

namespace micius {

// A prompt: control tokens in it are recognised; BOS is put before it if the tokenizer says so and the text
// does not begin with it.
std::vector<TokenId> encode_prompt(const Tokenizer& tokenizer, std::string_view text);

// What stands for an empty context: BOS, else EOS; absent if the tokenizer has neither.
std::optional<TokenId> prefix_token(const Tokenizer& tokenizer);

// White space (Unicode's) at the end of the context moves to the continuation; the context is encoded, then
// both together, and the continuation is what stands behind as many tokens as the context has, also where
// tokens join across the seam. A failure if that leaves no token of either.
std::variant<TokenPair, JobFailure> encode_pair(const Tokenizer& tokenizer, std::string_view context,
                                                std::string_view continuation);

// What does not fit into a context of `context` positions goes from the left; returns how many tokens did. A
// generation keeps room for its new tokens. A pair keeps one token more than the context, because its last
// one is not read. Nothing is cut where new tokens or continuation alone are too many: the engine refuses
// those.
std::size_t cut_to_fit(GenerateJob& job, std::size_t context);
std::size_t cut_to_fit(TokenPair& pair, std::size_t context);

}  // namespace micius
