// The parser of KQL: accepts and rejects as Microsoft's own (Kusto.Language 12.4.1) does without a schema.
//
//   const kql::Tree tree = kql::parse("T | where a > ");
//   tree.error->offset     // 13
//   tree.error->message    // "expected an expression, not the end"
#pragma once

#include <cstddef>
#include <string_view>

#include "kql/tree.h"

namespace micius::kql {

// What is nested deeper than this is an error. It is far beyond what people or models write; the official
// parser goes on until its memory ends.
inline constexpr std::size_t kMaxDepth = 50'000;

// Parses a query: statements with `;` between them. Text of blanks and comments alone is no error. Linear in
// the size of `text`, which the tree borrows. Stops at the first error. Deeply nested text is parsed on a
// thread of its own with a large stack, so the caller's is safe; throws Error{kIo} where there is no memory
// for one. Any thread may call it; nothing is shared.
Tree parse(std::string_view text);

}  // namespace micius::kql
