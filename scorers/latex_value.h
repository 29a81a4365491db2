// Do two answers in LaTeX have the same value?
//
// Numbers, fractions, roots, powers, pi, e, i, trigonometric functions and logarithms, factorials, binomials,
// absolute values and variables; of such expressions sets, tuples, intervals, unions of them, lists and
// matrices. Both sides are evaluated at the same few points (Schwartz 1980, Zippel 1979): in the field of the
// integers modulo 2^61 - 1, where that decides exactly, for rational expressions with whole exponents (so
// 2^{2015} is not 2^{2015} - 1), and else in complex numbers with a relative tolerance of 1e-12.
#pragma once

#include <string_view>

namespace micius {

// False where one of the two cannot be read: words, equations, units, percents, more than 1,000 bytes. An
// interval and a tuple keep their brackets and order, a set and a list without brackets have none. Where
// notation is open it is as in sympy's parse_latex: x^12 is x^{12}, 1/2x is 1/(2x), 3\frac{1}{2} a product;
// but \log is to base 10 and i is the imaginary unit.
//   "\frac{1}{2}", "0.5" -> true    "(1,2)", "(2,1)" -> false    "1,2", "2,1" -> true    "x(x+1)", "x^2+x"
//   -> true
bool same_value(std::string_view a, std::string_view b);

}  // namespace micius
