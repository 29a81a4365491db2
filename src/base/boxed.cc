#include "base/boxed.h"

#include <cstddef>
#include <cstdint>

namespace micius {

std::optional<std::string> last_boxed_only_string(std::string_view text) {
  constexpr std::string_view open = "\\boxed ";
  if (const std::size_t at = text.rfind(open); at != std::string_view::npos) {
    const std::string_view rest = text.substr(at + open.size());
    return std::string(open) + std::string(rest.substr(0, rest.find('$')));
  }
  std::size_t begin = text.rfind("\\boxed");
  if (begin == std::string_view::npos) begin = text.rfind("\\fbox");
  if (begin == std::string_view::npos) return std::nullopt;
  std::int64_t depth = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return std::string(text.substr(begin, i + 1 - begin));
  }
  return std::nullopt;
}

std::optional<std::string> remove_boxed(std::string_view boxed) {
  constexpr std::string_view blank = "\\boxed ";
  if (boxed.find(blank) != std::string_view::npos)
    return boxed.starts_with(blank) ? std::optional(std::string(boxed.substr(blank.size()))) : std::nullopt;
  for (const std::string_view open : {"\\boxed{", "\\fbox{"}) {
    if (boxed.starts_with(open) && boxed.ends_with('}'))
      return std::string(boxed.substr(open.size(), boxed.size() - open.size() - 1));
  }
  return std::nullopt;
}

}  // namespace micius
