// The text of a generation as its tokens come, and where it stops.
#pragma once

#include <string>
#include <vector>

#include "engine/tokenizer/tokenizer.h"

namespace micius {

class GeneratedText {
 public:
  // `tokenizer` must outlive this.
  GeneratedText(const Tokenizer& tokenizer, std::vector<std::string> stop);

  // Takes the next token. True if the text now holds a stop string, which may have begun some tokens ago: the
  // text is cut before the first one and takes no more.
  bool push(TokenId id);
  const std::string& text() const { return text_; }  // whole characters only
  // Bytes of text() that stay, whatever comes: behind them may stand the beginning of a stop string.
  std::size_t settled() const;

 private:
  StreamDecoder decoder_;
  std::vector<std::string> stop_;
  std::size_t longest_ = 0;  // stop string, in bytes
  std::string text_;
};

// The tokens that end an answer: EOS and those that end a turn or a text in models that the engine runs.
std::vector<TokenId> ending_tokens(const Tokenizer& tokenizer);

}  // namespace micius
