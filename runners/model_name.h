// How a model of the runner registry is named: KIND, or KIND:ARGUMENT.
#pragma once

#include <optional>
#include <string>

namespace micius {

struct ModelName {
  std::string kind;
  std::optional<std::string> argument;  // "" where nothing follows the colon
};

// Any other model ("smollm2-135m", "a/b.gguf") is a kind that the registry does not have.
inline ModelName split_model(const std::string& model) {
  const std::size_t colon = model.find(':');
  if (colon == std::string::npos) return {model, std::nullopt};
  return {model.substr(0, colon), model.substr(colon + 1)};
}

}  // namespace micius
