// A recursive descent over one expression that evaluates as it reads.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <utility>

#include "scorers/latex_expression_internal.h"

namespace micius {
namespace {

using Complex = std::complex<long double>;
constexpr long double kPi = std::numbers::pi_v<long double>;

constexpr int kMaxDepth = 60;
constexpr std::int64_t kMostFactorial = 2000;
constexpr std::size_t kLongestProduct = 3;  // of letters: four of them are a word

struct Function {
  std::string_view name;
  Complex (*value)(Complex);
};

// A name before its own beginning ("sinh" before "sin"): text whose blanks are gone is read by the longest.
const std::array<Function, 20> kFunctions{{
    {"arcsin", [](Complex x) { return std::asin(x); }},
    {"arccos", [](Complex x) { return std::acos(x); }},
    {"arctan", [](Complex x) { return std::atan(x); }},
    {"sinh", [](Complex x) { return std::sinh(x); }},
    {"cosh", [](Complex x) { return std::cosh(x); }},
    {"tanh", [](Complex x) { return std::tanh(x); }},
    {"sin", [](Complex x) { return std::sin(x); }},
    {"cos", [](Complex x) { return std::cos(x); }},
    {"tan", [](Complex x) { return std::tan(x); }},
    {"cot", [](Complex x) { return Complex(1) / std::tan(x); }},
    {"sec", [](Complex x) { return Complex(1) / std::cos(x); }},
    {"csc", [](Complex x) { return Complex(1) / std::sin(x); }},
    {"exp", [](Complex x) { return std::exp(x); }},
    {"ln", [](Complex x) { return std::log(x); }},
    {"log", [](Complex x) { return std::log(x) / std::log(Complex(10)); }},
    {"lg", [](Complex x) { return std::log(x) / std::log(Complex(10)); }},
    {"Re", [](Complex x) { return Complex(x.real()); }},
    {"Im", [](Complex x) { return Complex(x.imag()); }},
    {"arg", [](Complex x) { return Complex(std::arg(x)); }},
    {"abs", [](Complex x) { return Complex(std::abs(x)); }},
}};

constexpr std::array<std::string_view, 4> kTimes{"cdot", "times", "ast", "*"};
constexpr std::array<std::string_view, 3> kOver{"div", "/", ":"};
constexpr std::array<std::string_view, 3> kFractions{"frac", "dfrac", "tfrac"};
constexpr std::array<std::string_view, 19> kVariables{
    "alpha", "beta", "gamma",  "delta", "theta", "lambda", "mu",    "omega",   "phi", "rho",
    "sigma", "tau",  "varphi", "chi",   "psi",   "eta",    "infty", "epsilon", "zeta"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Reader {
 public:
  Reader(std::string_view text, int point) : text_(text), point_(point) {}

  std::optional<LatexNumber> all() {
    const LatexNumber number = sum();
    if (failed_ || peek() != '\0') return std::nullopt;
    return number;
  }

 private:
  LatexNumber fail() {
    failed_ = true;
    return {};
  }

  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '~')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool take(char c) {
    if (peek() != c || failed_) return false;
    ++at_;
    return true;
  }

  // Takes the command or the sign. A command's letters may run on into those that follow.
  bool take_word(std::string_view word) {
    const bool command = is_letter(word[0]);
    peek();
    const std::string_view rest = text_.substr(at_);
    if (failed_ || (command && !rest.starts_with('\\')) || !rest.substr(command ? 1 : 0).starts_with(word))
      return false;
    at_ += word.size() + (command ? 1 : 0);
    return true;
  }
  template <typename Words>
  bool take_any(const Words& words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return take_word(word); });
  }

  LatexNumber sum() {
    if (++depth_ > kMaxDepth) return fail();
    LatexNumber result = term();
    while (!failed_) {
      if (take('+')) {
        result = result + term();
      } else if (take('-')) {
        result = result - term();
      } else {
        break;
      }
    }
    --depth_;
    return result;
  }

  LatexNumber term() {
    LatexNumber result = signed_product();
    while (!failed_) {
      if (take_any(kTimes)) {
        result = result * signed_product();
      } else if (take_any(kOver)) {
        result = result / signed_product();
      } else {
        break;
      }
    }
    return result;
  }

  LatexNumber signed_product() {
    bool minus = false;
    for (;;) {
      if (take('-')) {
        minus = !minus;
      } else if (!take('+')) {
        break;
      }
    }
    const LatexNumber result = product(/*functions=*/true);
    return minus ? latex_integer(0) - result : result;
  }

  // Not a number: "1 000" is one number and no product.
  bool starts_factor(bool functions) {
    const char c = peek();
    if (c == '|') return !in_bars_;
    if (c != '\\') return is_letter(c) || c == '(' || c == '{' || c == '[';
    const std::string_view name = text_.substr(at_ + 1);
    const auto begins = [&](const auto& names) {
      return std::any_of(names.begin(), names.end(), [&](std::string_view n) { return name.starts_with(n); });
    };
    const bool function = std::any_of(kFunctions.begin(), kFunctions.end(),
                                      [&](const Function& f) { return name.starts_with(f.name); });
    if (function) return functions;
    return name.starts_with("sqrt") || name.starts_with("pi") || name.starts_with("binom") ||
           begins(kFractions) || begins(kVariables);
  }

  LatexNumber product(bool functions) {
    LatexNumber result = postfix();
    while (!failed_ && starts_factor(functions)) result = result * postfix();
    return result;
  }

  LatexNumber postfix() {
    LatexNumber result = factor();
    for (;;) {
      if (take('!')) {
        result = factorial(result);
      } else if (take('^')) {
        result = power(result, argument());
      } else {
        return result;
      }
    }
  }

  LatexNumber factorial(const LatexNumber& number) {
    const auto n = whole(number, kMostFactorial);
    if (!n) return fail();
    LatexNumber result = latex_integer(1);
    for (std::int64_t i = 2; i <= *n; ++i) result = result * latex_integer(i);
    return result;
  }

  LatexNumber binomial(const LatexNumber& above, const LatexNumber& below) {
    const auto n = whole(above, kMostFactorial), k = whole(below, kMostFactorial);
    if (!n || !k || *k > *n) return fail();
    LatexNumber result = latex_integer(1);
    for (std::int64_t i = 1; i <= *k; ++i) result = result * latex_integer(*n - *k + i) / latex_integer(i);
    return result;
  }

  // What \frac takes: {..} or one digit.
  LatexNumber part() {
    if (!is_digit(peek())) return argument();
    return latex_integer(text_[at_++] - '0');
  }

  // What ^ takes: {..} or one thing.
  LatexNumber argument() {
    if (take('-')) return latex_integer(0) - factor();
    return factor();
  }

  LatexNumber closed(char close) {
    const bool bars = std::exchange(in_bars_, close == '|');
    const LatexNumber result = sum();
    in_bars_ = bars;
    return take(close) ? result : fail();
  }

  LatexNumber factor() {
    if (failed_ || depth_ > kMaxDepth) return fail();
    const char c = peek();
    if (is_digit(c) || c == '.') return number();
    if (is_letter(c)) return letter();
    if (take('(')) return closed(')');
    if (take('{')) return closed('}');
    if (take('[')) return closed(']');
    if (take('|')) return latex_irrational(std::abs(closed('|').value));
    return c == '\\' ? command() : fail();
  }

  LatexNumber number() {
    const std::size_t begin = at_;
    std::size_t points = 0;
    for (; at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.'); ++at_)
      points += text_[at_] == '.' ? 1 : 0;
    const std::string_view digits = text_.substr(begin, at_ - begin);
    if (points > 1 || digits == "." || peek() == '_') return fail();  // 101_2 is in another base
    return latex_decimal(digits);
  }

  std::string subscript() {
    if (!take('_')) return "";
    if (!take('{')) {
      peek();
      return at_ < text_.size() ? "_" + std::string(1, text_[at_++]) : "";
    }
    const std::size_t end = std::min(text_.find('}', at_), text_.size());
    std::string name = "_" + std::string(text_.substr(at_, end - at_));
    at_ = std::min(end + 1, text_.size());
    return name;
  }

  LatexNumber letter() {
    std::size_t end = at_;
    while (end < text_.size() && is_letter(text_[end])) ++end;
    if (end - at_ > kLongestProduct) return fail();
    const char c = text_[at_++];
    const std::string name = c + subscript();
    if (name == "e") return latex_irrational(std::exp(Complex(1)));
    if (name == "i") return latex_irrational({0, 1});
    return latex_variable(name, point_);
  }

  LatexNumber command() {
    if (take_any(kFractions)) {
      const LatexNumber above = part();
      return above / part();
    }
    if (take_word("binom")) {
      const LatexNumber above = part();
      return binomial(above, part());
    }
    if (take_word("sqrt")) {
      LatexNumber degree = latex_integer(2);
      if (take('[')) degree = closed(']');
      return latex_irrational(std::pow(part().value, Complex(1) / degree.value));
    }
    if (take_word("pi")) return latex_irrational(kPi);
    for (const std::string_view name : kVariables) {
      if (take_word(name)) return latex_variable(std::string(name) + subscript(), point_);
    }
    for (const Function& function : kFunctions) {
      if (take_word(function.name)) return apply(function);
    }
    return fail();
  }

  LatexNumber apply(const Function& function) {
    LatexNumber exponent = latex_integer(1), base = latex_integer(10);
    const bool has_base = function.name == "log" && take('_');
    if (has_base) base = argument();
    if (take('^')) exponent = argument();
    if (exponent.value.real() < 0) return fail();  // \sin^{-1} is another function
    if (++depth_ > kMaxDepth) return fail();
    const char c = peek();
    const Complex x = (c == '(' || c == '{' || c == '[' ? factor() : product(/*functions=*/false)).value;
    --depth_;
    const Complex value = has_base ? std::log(x) / std::log(base.value) : function.value(x);
    return power(latex_irrational(value), exponent);
  }

  std::string_view text_;
  int point_, depth_ = 0;
  std::size_t at_ = 0;
  bool in_bars_ = false, failed_ = false;
};

}  // namespace

std::optional<LatexNumber> latex_expression(std::string_view text, int point) {
  return Reader(text, point).all();
}

}  // namespace micius
