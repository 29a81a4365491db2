#include "cli/console.h"

#include <cstdio>

#include <fmt/format.h>

#include "base/text.h"

namespace micius {

void ConsoleLog::warning(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (level_ == Level::kWarnings && said_.emplace(message).second)
    fmt::print(stderr, "warning: {}\n", visible_text(message));
}

}  // namespace micius
