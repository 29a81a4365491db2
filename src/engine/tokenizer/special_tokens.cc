#include "engine/tokenizer/special_tokens.h"

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

std::uint64_t edge(std::uint32_t node, char byte) {
  return (std::uint64_t{node} << 8) | static_cast<unsigned char>(byte);
}

}  // namespace

void SpecialTokens::add(std::string_view token, TokenId id, Reach reach) {
  if (token.empty()) return;
  if (token.size() > kMaxSize) {
    fail(ErrorCode::kInvalidData, "token {} ('{}') is a special one of {} bytes, the limit is {}", id,
         shorten(token, 20), token.size(), kMaxSize);
  }
  first_.set(static_cast<unsigned char>(token.front()));
  std::uint32_t node = 0;
  for (const char byte : token) {
    const auto [place, is_new] =
        edges_.try_emplace(edge(node, byte), static_cast<std::uint32_t>(nodes_.size()));
    if (is_new) nodes_.emplace_back();
    node = place->second;
  }
  nodes_[node] = {id, reach};
}

std::optional<SpecialTokens::Match> SpecialTokens::match(std::string_view text, Reach reach) const {
  std::optional<Match> longest;
  std::uint32_t node = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto place = edges_.find(edge(node, text[i]));
    if (place == edges_.end()) break;
    node = place->second;
    const Node& n = nodes_[node];
    if (n.id != kNoToken && (reach == Reach::kAll || n.reach == reach)) longest = {n.id, i + 1};
  }
  return longest;
}

}  // namespace micius
