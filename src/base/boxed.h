// Boxes in LaTeX, in which solutions of MATH have their answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace micius {

// The last \boxed{...} of a solution with its braces matched, else the last \fbox{...}; text that holds
// "\boxed " gives what follows the last one up to the next "$". Absent where there is none that is closed.
//   "so \boxed{\frac{1}{2}}." -> "\boxed{\frac{1}{2}}"
std::optional<std::string> last_boxed_only_string(std::string_view text);

// Without "\boxed{" or "\fbox{" and "}", or "\boxed "; absent for anything else. Upstream raises for
// "\fbox{".
std::optional<std::string> remove_boxed(std::string_view boxed);

}  // namespace micius
