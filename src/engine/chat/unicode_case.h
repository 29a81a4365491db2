// Case as Python has it: full mappings of Unicode, so a text may grow.
#pragma once

#include <string>
#include <string_view>

namespace micius::jinja {

std::string upper(std::string_view text);
std::string lower(std::string_view text);       // with the Greek final sigma
std::string title(std::string_view text);       // str.title(): a capital behind whatever has no case
std::string capitalize(std::string_view text);  // the first one a capital, the rest lower
bool is_cased(char32_t code_point);
bool is_upper(std::string_view text);  // something is cased and nothing is lower
bool is_lower(std::string_view text);

}  // namespace micius::jinja
