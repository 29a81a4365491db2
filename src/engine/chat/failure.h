// Why a template could not be read or rendered. Inside the interpreter this is thrown without a place; the
// template adds its name, line and column.
#pragma once

#include <string>
#include <utility>

#include <fmt/format.h>

namespace micius::jinja {

enum class FailureKind {
  kRaise,        // the template called raise_exception, or assigned to what is no namespace
  kUndefined,    // something undefined was used
  kPython,       // an operation that Python refuses; `type` is Python's exception
  kSyntax,       // not Jinja, or an unknown filter or test
  kSecurity,     // refused by Jinja's sandbox
  kUnsupported,  // Jinja, but outside the subset; the message names the construct
  kLimit,        // too deep, too long or too much work
};

struct Failure {
  FailureKind kind;
  std::string message;
  std::string type;
};

template <typename... Args>
[[noreturn]] void raise(FailureKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Failure{kind, fmt::format(format, std::forward<Args>(args)...), {}};
}

// A Python exception of class `type`.
template <typename... Args>
[[noreturn]] void raise_python(const char* type, fmt::format_string<Args...> format, Args&&... args) {
  throw Failure{FailureKind::kPython, fmt::format(format, std::forward<Args>(args)...), type};
}

template <typename... Args>
[[noreturn]] void raise_type_error(fmt::format_string<Args...> format, Args&&... args) {
  throw Failure{FailureKind::kPython, fmt::format(format, std::forward<Args>(args)...), "TypeError"};
}

}  // namespace micius::jinja
