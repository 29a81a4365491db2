#include "engine/encode.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace micius {
namespace {

JobFailure empty_continuation() {
  return {"empty_continuation", "the continuation has no token of its own behind the context's tokens"};
}

// Leaves the last `most` tokens; returns how many went.
std::size_t keep_right(std::vector<TokenId>& ids, std::size_t most) {
  const std::size_t cut = ids.size() - std::min(ids.size(), most);
  ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(cut));
  return cut;
}

std::variant<TokenPair, JobFailure> encode_after_nothing(const Tokenizer& tokenizer,
                                                         std::string_view continuation) {
  std::vector<TokenId> ids = tokenizer.encode(continuation, SpecialText::kRecognised);
  const auto prefix = prefix_token(tokenizer);
  if (ids.empty()) return empty_continuation();
  if (prefix && *prefix != ids.front()) return TokenPair{{*prefix}, std::move(ids)};
  if (ids.size() == 1) return empty_continuation();
  return TokenPair{{ids.front()}, {ids.begin() + 1, ids.end()}};
}

}  // namespace

std::optional<TokenId> prefix_token(const Tokenizer& tokenizer) {
  return tokenizer.bos() ? tokenizer.bos() : tokenizer.eos();
}

std::vector<TokenId> encode_prompt(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<TokenId> ids = tokenizer.encode(text, SpecialText::kRecognised);
  const auto bos = tokenizer.bos();
  if (tokenizer.add_bos() && bos && text.substr(0, tokenizer.bytes(*bos).size()) != tokenizer.bytes(*bos)) {
    ids.insert(ids.begin(), *bos);
  }
  return ids;
}

std::variant<TokenPair, JobFailure> encode_pair(const Tokenizer& tokenizer, std::string_view context,
                                                std::string_view continuation) {
  if (context.empty()) return encode_after_nothing(tokenizer, continuation);
  const std::string whole = std::string(context) + std::string(continuation);
  std::vector<TokenId> context_ids = encode_prompt(tokenizer, strip_right(context));
  const std::vector<TokenId> whole_ids = encode_prompt(tokenizer, whole);
  if (context_ids.empty()) {
    return JobFailure{"empty_context", "the context is white space only, which moves to the continuation"};
  }
  if (whole_ids.size() <= context_ids.size()) return empty_continuation();
  const auto seam = whole_ids.begin() + static_cast<std::ptrdiff_t>(context_ids.size());
  return TokenPair{std::move(context_ids), {seam, whole_ids.end()}};
}

std::size_t cut_to_fit(GenerateJob& job, std::size_t context) {
  if (job.max_tokens < 0 || static_cast<std::size_t>(job.max_tokens) >= context) return 0;
  return keep_right(job.prompt, context - static_cast<std::size_t>(job.max_tokens));
}

std::size_t cut_to_fit(TokenPair& pair, std::size_t context) {
  if (pair.continuation.size() > context) return 0;
  return keep_right(pair.context, context + 1 - pair.continuation.size());
}

}  // namespace micius
