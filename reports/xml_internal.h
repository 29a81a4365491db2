// Text inside XML.
#pragma once

#include <string>

namespace micius {

// For the content of an element and for an attribute in double quotes. What XML cannot hold (control
// characters, U+FFFE and U+FFFF, ill-formed UTF-8) is made visible.
std::string xml_text(const std::string& text);

}  // namespace micius
