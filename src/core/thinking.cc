#include "core/thinking.h"

namespace micius {

std::optional<std::string_view> after_thinking(std::string_view text) {
  constexpr std::string_view close = "</think>";
  if (const std::size_t at = text.rfind(close); at != std::string_view::npos)
    text.remove_prefix(at + close.size());
  if (text.find("<think>") != std::string_view::npos) return std::nullopt;
  return text;
}

}  // namespace micius
