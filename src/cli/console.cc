#include "cli/console.h"

#include <cstdio>

#include <fmt/format.h>

#include "base/text.h"

namespace micius {

void ConsoleLog::warning(std::string_view message) {
  if (level_ == Level::kWarnings) fmt::print(stderr, "warning: {}\n", visible_text(message));
}

}  // namespace micius
