// What a GGUF file says about its tokenizer and chat template (keys `tokenizer.*`).
#pragma once

#include <string>

#include "engine/gguf.h"
#include "engine/gguf_writer.h"
#include "engine/tokenizer/tokenizer.h"

namespace micius {

// Throws Error{kInvalidData} naming the key that is missing or wrong.
TokenizerData tokenizer_data_from(const GgufFile& file);

// The chat template's source; empty where the file has none.
std::string chat_template_from(const GgufFile& file);

// Writes what tokenizer_data_from() reads. What GGUF has no key for (blanks that special tokens swallow, a
// blank in front of the text alone) has keys of ours, which other readers pass over. Throws
// Error{kUnsupported} for a WordPiece vocabulary and for a pre-tokenizer that has no name in GGUF.
void write_tokenizer(const TokenizerData& data, GgufWriter& writer);

}  // namespace micius
