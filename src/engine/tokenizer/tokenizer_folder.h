// The tokenizer beside a model's safetensors: `tokenizer.json`, or where there is none `tokenizer.model`, and
// what `tokenizer_config.json` and `chat_template.jinja` add.
//
//   const Tokenizer tokenizer(read_tokenizer("models/sigma"));
#pragma once

#include <filesystem>
#include <string>

#include "engine/tokenizer/tokenizer_data.h"

namespace micius {

// Throws Error{kNotFound} for a folder with neither file, Error{kInvalidData} for a damaged one and
// Error{kUnsupported} for a construct that is not covered; each names file and field.
TokenizerData read_tokenizer(const std::filesystem::path& folder);

// The chat template's source; empty where the folder has none.
std::string read_chat_template(const std::filesystem::path& folder);

}  // namespace micius
