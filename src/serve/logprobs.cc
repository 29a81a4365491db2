#include "serve/logprobs.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace micius {
namespace {

bool is_inside_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

Json chance_json(const Tokenizer& tokenizer, const TokenChance& chance, TokenStyle style) {
  Json bytes = Json::array();
  for (const char byte : tokenizer.bytes(chance.id)) bytes.push_back(static_cast<unsigned char>(byte));
  return {{"token", token_name(tokenizer, chance.id, style)},
          {"logprob", chance.logprob},
          {"bytes", std::move(bytes)}};
}

}  // namespace

std::string token_name(const Tokenizer& tokenizer, TokenId id, TokenStyle style) {
  if (style == TokenStyle::kId) return fmt::format("token_id:{}", id);
  const std::string_view bytes = tokenizer.bytes(id);
  if (is_valid_utf8(bytes)) return std::string(bytes);
  std::string name = "bytes:";
  for (const char byte : bytes) name += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return name;
}

Json chat_logprobs(const Tokenizer& tokenizer, std::span<const TokenLogprobs> tokens, TokenStyle style) {
  Json content = Json::array();
  for (const TokenLogprobs& token : tokens) {
    Json entry = chance_json(tokenizer, token.token, style);
    entry["top_logprobs"] = Json::array();
    for (const TokenChance& chance : token.best)
      entry["top_logprobs"].push_back(chance_json(tokenizer, chance, style));
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

std::size_t TextOffsets::next(std::string_view bytes) {
  const bool begins_inside = !bytes.empty() && is_inside_character(bytes.front()) && leads_ > 0;
  const std::size_t offset = begins_inside ? leads_ - 1 : leads_;
  leads_ +=
      bytes.size() - static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), is_inside_character));
  return offset;
}

void ClassicLogprobs::add_first(TokenId id, std::size_t offset) {
  tokens_.push_back(token_name(*tokenizer_, id, style_));
  logprobs_.push_back(nullptr);
  top_.push_back(nullptr);
  offsets_.push_back(offset);
}

void ClassicLogprobs::add(const TokenLogprobs& token, std::size_t offset) {
  const std::string own = token_name(*tokenizer_, token.token.id, style_);
  Json top = Json::object();
  for (const TokenChance& chance : token.best) {
    const std::string name = token_name(*tokenizer_, chance.id, style_);
    if (!top.contains(name)) top[name] = chance.logprob;
  }
  if (!top.contains(own)) top[own] = token.token.logprob;
  tokens_.push_back(own);
  logprobs_.push_back(token.token.logprob);
  top_.push_back(std::move(top));
  offsets_.push_back(offset);
}

Json ClassicLogprobs::json(std::size_t length) const {
  Json offsets = Json::array();
  for (const std::size_t offset : offsets_) offsets.push_back(std::min(offset, length));
  return {{"tokens", tokens_},
          {"token_logprobs", logprobs_},
          {"top_logprobs", top_},
          {"text_offset", std::move(offsets)}};
}

}  // namespace micius
