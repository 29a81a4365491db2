#include <cctype>

#include <fmt/format.h>

#include "base/text.h"
#include "reports/html_internal.h"

namespace micius {

std::string html(std::string_view text) {
  std::string result;
  for (const char c : visible_text(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string note_html(std::string_view note) {
  std::string result;
  bool code = false;
  for (const std::string_view part : split(note, '`')) {
    result += code ? "<code>" + html(part) + "</code>" : html(part);
    code = !code;
  }
  return result;
}

std::string query_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.';
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return result;
}

std::string slug(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    result += plain ? c : '-';
  }
  return result;
}

}  // namespace micius
