// One expression in LaTeX, evaluated.
#pragma once

#include <optional>
#include <string_view>

#include "scorers/latex_number_internal.h"

namespace micius {

// Its value at one point; absent where it cannot be read. Linear in the text, of bounded depth.
std::optional<LatexNumber> latex_expression(std::string_view text, int point);

}  // namespace micius
