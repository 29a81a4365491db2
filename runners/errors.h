// Right answers made wrong, step by step.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace micius {

// `answer` with `count` mistakes as people make them: a number, option or name is taken from `other` (the
// right answer to another question), or, where `other` has none of the kind that differs, a number is one too
// high and an option or name is left out. The places are drawn by `seed`; those of n mistakes are among those
// of n + 1, so a longer ladder only adds. An answer with fewer places gets as many as it has.
std::string with_errors(std::string_view answer, std::string_view other, std::size_t count,
                        std::string_view seed);

}  // namespace micius
