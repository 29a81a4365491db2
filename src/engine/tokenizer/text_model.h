// One kind of model inside a tokenizer: the parts of a text between special tokens, to ids.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/tokenizer/tokenizer_data.h"

namespace micius {

// Immutable once built; safe from several threads.
class TextModel {
 public:
  enum class Before { kStart, kSpecialToken, kSameText };  // what stands before a part

  explicit TextModel(std::vector<std::string> token_bytes) : token_bytes_(std::move(token_bytes)) {}
  TextModel(const TextModel&) = delete;
  TextModel& operator=(const TextModel&) = delete;
  virtual ~TextModel() = default;

  // Appends the ids of `part`, valid UTF-8 of less than 4 GiB.
  virtual void encode(std::string_view part, Before before, std::vector<TokenId>& ids) const = 0;
  // What each normal token adds to a text, by id; others as they are written.
  const std::vector<std::string>& token_bytes() const { return token_bytes_; }

 private:
  std::vector<std::string> token_bytes_;
};

inline bool takes_prefix(BlankPrefix prefix, TextModel::Before before) {
  return (prefix != BlankPrefix::kNone && before == TextModel::Before::kStart) ||
         (prefix == BlankPrefix::kEveryPart && before == TextModel::Before::kSpecialToken);
}

// The kind of a token of checked data.
inline TokenKind kind_of(const TokenizerData& data, std::size_t id) {
  return data.kinds.empty() ? TokenKind::kNormal : data.kinds[id];
}

struct MergeParts {
  std::string_view left, right;
};

// "left right"; the right part is empty where there is no blank.
inline MergeParts split_merge(std::string_view merge) {
  const std::size_t blank = std::min(merge.find(' ', 1), merge.size());
  return {merge.substr(0, blank), merge.substr(std::min(blank + 1, merge.size()))};
}

}  // namespace micius
