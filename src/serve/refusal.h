// A request that is not answered, as OpenAI's API says so.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "base/json.h"

namespace micius {

// Thrown while a request is read or begun; the HTTP side turns it into the answer.
class Refusal : public std::runtime_error {
 public:
  // `code` and `param` (the field that is wrong) are null in the answer where they are empty.
  Refusal(int status, std::string type, std::string code, std::string param, const std::string& message)
      : std::runtime_error(message),
        status_(status),
        type_(std::move(type)),
        code_(std::move(code)),
        param_(std::move(param)) {}

  int status() const { return status_; }
  // {"error": {"message", "type", "param", "code"}}
  Json body() const {
    const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
    return {
        {"error", {{"message", what()}, {"type", type_}, {"param", text(param_)}, {"code", text(code_)}}}};
  }

 private:
  int status_;
  std::string type_, code_, param_;
};

// 400 for a field that is missing, mistyped or out of range.
inline Refusal bad_field(std::string param, const std::string& message) {
  return {400, "invalid_request_error", "invalid_value", std::move(param), message};
}

}  // namespace micius
