// Fields of a CSV file.
#pragma once

#include <string>

namespace micius {

// RFC 4180: quotes only where they are needed; ill-formed UTF-8 becomes U+FFFD.
std::string csv_field(const std::string& text);

}  // namespace micius
