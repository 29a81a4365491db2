// What a GGUF file says about its tokenizer and chat template (keys `tokenizer.*`).
#pragma once

#include <string>

#include "engine/gguf.h"
#include "engine/tokenizer/tokenizer.h"

namespace micius {

// Throws Error{kInvalidData} naming the key that is missing or wrong.
TokenizerData tokenizer_data_from(const GgufFile& file);

// The chat template's source; empty where the file has none.
std::string chat_template_from(const GgufFile& file);

}  // namespace micius
