// Fields of a CSV file.
#pragma once

#include <string>

namespace micius {

// RFC 4180: quotes only where they are needed; ill-formed UTF-8 becomes U+FFFD. Text that a spreadsheet would
// run as a formula (it begins with = + - @, tab or CR and is no number) gets an apostrophe before it: what a
// model wrote is data.
std::string csv_field(const std::string& text);

}  // namespace micius
