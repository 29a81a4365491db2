// `tokenizer.json` of Hugging Face's libraries: BPE (byte-level, or over U+2581), unigram, WordPiece.
#pragma once

#include <string>
#include <string_view>

#include "engine/tokenizer/tokenizer_data.h"

namespace micius {

// `file` stands for the text in messages. Throws Error{kInvalidData} for a text that is damaged and
// Error{kUnsupported} for a construct that is not covered, both with file and field.
TokenizerData read_hf_tokenizer(std::string_view text, const std::string& file);

}  // namespace micius
