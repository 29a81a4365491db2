// The numbers that answers in LaTeX are evaluated in.
#pragma once

#include <complex>
#include <cstdint>
#include <optional>
#include <string_view>

namespace micius {

// A value at one point: approximately, and modulo 2^61 - 1 as long as everything in it is rational.
struct LatexNumber {
  std::complex<long double> value;
  std::optional<std::uint64_t> residue;
};

LatexNumber latex_integer(std::int64_t integer);
LatexNumber latex_decimal(std::string_view digits);  // "12", "0.5", ".5"
// What a variable is at point `point`; the same for both sides.
LatexNumber latex_variable(std::string_view name, int point);
LatexNumber latex_irrational(std::complex<long double> value);

LatexNumber operator+(const LatexNumber& a, const LatexNumber& b);
LatexNumber operator-(const LatexNumber& a, const LatexNumber& b);
LatexNumber operator*(const LatexNumber& a, const LatexNumber& b);
// Dividing by zero gives a value that is not finite, and no residue.
LatexNumber operator/(const LatexNumber& a, const LatexNumber& b);
LatexNumber power(const LatexNumber& base, const LatexNumber& exponent);

// A whole number from 0 to `most`, if it is one.
std::optional<std::int64_t> whole(const LatexNumber& number, std::int64_t most);

enum class Comparison { kSame, kDifferent, kUndefined };  // undefined: neither is finite here
Comparison compare(const LatexNumber& a, const LatexNumber& b);

}  // namespace micius
