// `tokenizer.model`: SentencePiece's own file, a protocol buffer (sentencepiece_model.proto).
#pragma once

#include <string>
#include <string_view>

#include "engine/tokenizer/tokenizer_data.h"

namespace micius {

// `file` stands for the bytes in messages. Throws Error{kInvalidData} with the byte offset for what is no
// such file, Error{kUnsupported} for a model that is neither BPE nor unigram.
TokenizerData read_spm_file(std::string_view bytes, const std::string& file);

}  // namespace micius
