// How numbers are written for people: the one place, so that terminal, HTML and Markdown agree.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace micius {

std::string format_percent(double fraction);    // 0.0347 -> "3.5 %"
std::string format_count(std::uint64_t count);  // 999 -> "999", 61234 -> "61.2k", 2100000 -> "2.1M"
std::string format_duration(std::chrono::nanoseconds time);  // "840 ms", "12.6 s", "3 min 4 s", "2 h 5 min"
std::string format_bytes(std::uint64_t bytes);               // "98.4 MB"
std::string format_rate(double a_second);                    // 5.238 -> "5.24", 2213.4 -> "2213"
// A metric's value in its unit: "fraction" as percent with one decimal, else four significant digits.
std::string format_value(double value, const std::string& unit);
// A difference of two values: of fractions in points of a percent, "+21.5 points"; else "+0.0125 nats".
std::string format_difference(double value, const std::string& unit);
std::string format_p(double p);  // with its relation: "= 0.031", "= 0.0004", "< 0.0001"

}  // namespace micius
