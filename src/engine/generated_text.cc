#include "engine/generated_text.h"

#include <algorithm>
#include <utility>

namespace micius {

GeneratedText::GeneratedText(const Tokenizer& tokenizer, std::vector<std::string> stop)
    : decoder_(tokenizer, SpecialText::kPlain), stop_(std::move(stop)) {
  std::erase(stop_, "");
  for (const std::string& text : stop_) longest_ = std::max(longest_, text.size());
}

bool GeneratedText::push(TokenId id) {
  const std::size_t from = text_.size() - std::min(text_.size(), longest_ == 0 ? 0 : longest_ - 1);
  text_ += decoder_.push(id);
  std::size_t cut = std::string::npos;
  for (const std::string& stop : stop_) cut = std::min(cut, text_.find(stop, from));
  if (cut == std::string::npos) return false;
  text_.resize(cut);
  return true;
}

std::size_t GeneratedText::settled() const {
  std::size_t held = 0;
  for (const std::string& stop : stop_) {
    for (std::size_t n = std::min(stop.size() - 1, text_.size()); n > held; --n) {
      if (text_.compare(text_.size() - n, n, stop, 0, n) == 0) held = n;
    }
  }
  return text_.size() - held;
}

std::vector<TokenId> ending_tokens(const Tokenizer& tokenizer) {
  std::vector<TokenId> ids;
  if (tokenizer.eos()) ids.push_back(*tokenizer.eos());
  for (const char* text :
       {"<|im_end|>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "</s>"}) {
    const auto id = tokenizer.find_special(text);
    if (id && std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
  }
  return ids;
}

}  // namespace micius
