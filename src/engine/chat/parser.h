// Jinja's grammar, as its own parser has it: the same precedence, the same refusals.
#pragma once

#include <string_view>

#include "engine/chat/ast.h"

namespace micius::jinja {

// Throws ReadFailure: kSyntax for what Jinja refuses too, kUnsupported for a statement or filter outside the
// subset, kLimit for nesting deeper than 64.
Body parse(std::string_view source);

}  // namespace micius::jinja
