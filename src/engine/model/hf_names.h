// How Hugging Face's libraries call what GGUF calls otherwise. Architectures are GGUF's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace micius {

// The keys of a model file that config.json may have, and the fields that may hold one, as dotted paths, the
// first that is there counting.
std::vector<std::string_view> gguf_keys(std::string_view architecture);
std::vector<std::string> hf_fields(std::string_view architecture, std::string_view key);

// The name of a tensor in the other convention; as it is if it has none there.
std::string gguf_tensor_name(std::string_view architecture, std::string_view hf_name);
std::string hf_tensor_name(std::string_view architecture, std::string_view gguf_name);

}  // namespace micius
