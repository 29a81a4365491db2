#include <cmath>
#include <string>

#include <fmt/format.h>

#include "base/rng.h"
#include "scorers/latex_number_internal.h"

namespace micius {
namespace {

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;
constexpr long double kTolerance = 1e-12L, kZero = 1e-17L;
constexpr std::int64_t kMostExponent = std::int64_t{1} << 53;

__extension__ typedef unsigned __int128 Wide;

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b % kPrime);
}

std::uint64_t to_the(std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = times(result, base);
    base = times(base, base);
  }
  return result;
}

std::optional<std::uint64_t> inverse(std::uint64_t a) {
  if (a == 0) return std::nullopt;
  return to_the(a, kPrime - 2);
}

template <typename Fn>
std::optional<std::uint64_t> both(const LatexNumber& a, const LatexNumber& b, Fn fn) {
  if (!a.residue || !b.residue) return std::nullopt;
  return fn(*a.residue, *b.residue);
}

bool is_finite(const LatexNumber& number) {
  return std::isfinite(number.value.real()) && std::isfinite(number.value.imag());
}

}  // namespace

LatexNumber latex_integer(std::int64_t integer) {
  const std::uint64_t size = static_cast<std::uint64_t>(integer < 0 ? -integer : integer) % kPrime;
  return {static_cast<long double>(integer), integer < 0 && size > 0 ? kPrime - size : size};
}

LatexNumber latex_decimal(std::string_view digits) {
  LatexNumber number = latex_integer(0), scale = latex_integer(1);
  bool behind_point = false;
  for (const char c : digits) {
    if (c == '.') {
      behind_point = true;
      continue;
    }
    number = number * latex_integer(10) + latex_integer(c - '0');
    if (behind_point) scale = scale * latex_integer(10);
  }
  return number / scale;
}

LatexNumber latex_variable(std::string_view name, int point) {
  Rng rng(fmt::format("latex variable/{}/{}", point, name));
  const std::uint64_t residue = rng() % kPrime;
  return {static_cast<long double>(4 * rng.uniform() - 2), residue};
}

LatexNumber latex_irrational(std::complex<long double> value) { return {value, std::nullopt}; }

LatexNumber operator+(const LatexNumber& a, const LatexNumber& b) {
  return {a.value + b.value,
          both(a, b, [](std::uint64_t x, std::uint64_t y) { return std::optional((x + y) % kPrime); })};
}

LatexNumber operator-(const LatexNumber& a, const LatexNumber& b) {
  return {a.value - b.value, both(a, b, [](std::uint64_t x, std::uint64_t y) {
            return std::optional((x + kPrime - y) % kPrime);
          })};
}

LatexNumber operator*(const LatexNumber& a, const LatexNumber& b) {
  return {a.value * b.value,
          both(a, b, [](std::uint64_t x, std::uint64_t y) { return std::optional(times(x, y)); })};
}

LatexNumber operator/(const LatexNumber& a, const LatexNumber& b) {
  return {a.value / b.value, both(a, b, [](std::uint64_t x, std::uint64_t y) -> std::optional<std::uint64_t> {
            const auto inverted = inverse(y);
            return inverted ? std::optional(times(x, *inverted)) : std::nullopt;
          })};
}

LatexNumber power(const LatexNumber& base, const LatexNumber& exponent) {
  const long double e = exponent.value.real();
  const bool integer = exponent.residue && exponent.value.imag() == 0 && std::nearbyint(e) == e &&
                       std::abs(e) < static_cast<long double>(kMostExponent);
  if (!integer) return latex_irrational(std::pow(base.value, exponent.value));
  LatexNumber result;
  const bool real = base.value.imag() == 0;
  result.value = real ? std::complex<long double>(std::pow(base.value.real(), e)) : std::pow(base.value, e);
  if (base.residue) {
    const auto size = static_cast<std::uint64_t>(std::abs(e));
    result.residue = to_the(*base.residue, size);
    if (e < 0) result.residue = inverse(*result.residue);
  }
  return result;
}

std::optional<std::int64_t> whole(const LatexNumber& number, std::int64_t most) {
  const long double real = number.value.real();
  if (!number.residue || number.value.imag() != 0 || !(real >= 0 && real <= static_cast<long double>(most)) ||
      std::nearbyint(real) != real) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(real);
}

Comparison compare(const LatexNumber& a, const LatexNumber& b) {
  if (a.residue && b.residue) return *a.residue == *b.residue ? Comparison::kSame : Comparison::kDifferent;
  if (!is_finite(a) && !is_finite(b)) return Comparison::kUndefined;
  if (!is_finite(a) || !is_finite(b)) return Comparison::kDifferent;
  const long double apart = std::abs(a.value - b.value);
  const long double size = std::max(std::abs(a.value), std::abs(b.value));
  return apart <= kTolerance * size || apart <= kZero ? Comparison::kSame : Comparison::kDifferent;
}

}  // namespace micius
