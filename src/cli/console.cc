#include "cli/console.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/progress.h"

namespace micius {
namespace {

constexpr std::string_view kHidden = "***", kBlanks = " \t\n'`";

// From the first `:` behind the user to the last `@` of the word: a password may have either in it.
void hide_in_authority(std::string& text, std::string_view scheme) {
  for (std::size_t at = 0; (at = text.find(scheme, at)) != std::string::npos;) {
    at += scheme.size();
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    const std::size_t colon = text.find_first_of(":@", at);
    const std::size_t last = text.rfind('@', end - 1);
    if (colon >= end || text[colon] != ':' || last == std::string::npos || last < colon) continue;
    text.replace(colon + 1, last - colon - 1, kHidden);
  }
}

void hide_parameter(std::string& text, std::string_view name) {
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) {
    at += name.size();
    const std::size_t end =
        std::min(std::min(text.find_first_of(kBlanks, at), text.find('&', at)), text.size());
    text.replace(at, end - at, kHidden);
  }
}

}  // namespace

std::string without_passwords(std::string text) {
  hide_in_authority(text, "postgresql://");
  hide_in_authority(text, "postgres://");
  if (text.find("://") != std::string::npos) hide_parameter(text, "password=");
  return text;
}

void ConsoleLog::warning(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (level_ != Level::kWarnings || !said_.emplace(message).second) return;
  const std::string line = "warning: " + visible_text(without_passwords(std::string(message)));
  if (board_ != nullptr) {
    board_->print(line);
  } else {
    fmt::print(stderr, "{}\n", line);
  }
}

}  // namespace micius
