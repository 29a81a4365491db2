// Any text is lexed, parsed and walked. What must hold for all of them is checked here and ends the program
// where not.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "kql/names.h"
#include "kql/parser.h"
#include "kql/tree_fault.h"

namespace micius::kql {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}

void check_tokens(const Tree& tree) {
  std::uint32_t at = 0;
  for (const Token& token : tree.tokens) {
    require(token.offset >= at, "tokens stand in order");
    at = token.end();
  }
  require(at <= tree.text.size(), "tokens lie in the text");
}

void check(std::string_view text) {
  const Tree tree = parse(text);
  check_tokens(tree);
  if (const std::string_view fault = tree_fault(tree); !fault.empty()) require(false, fault.data());
  if (tree.error)
    require(tree.error->offset <= text.size() && !tree.error->message.empty(), "an error has a place");
  const Names names = names_of(tree);
  require(names.operators.size() <= tree.tokens.size(), "an operator has a token");
}

}  // namespace
}  // namespace micius::kql

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  micius::kql::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
