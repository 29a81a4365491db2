#include "serve/head_check.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <httplib.h>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"

namespace micius {
namespace {

bool is_same(std::string_view a, std::string_view secret) {
  unsigned difference = a.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(secret[i % secret.size()]);
  return difference == 0;
}

Refusal bad_request(int status, const char* code, const std::string& message) {
  return {status, "invalid_request_error", code, "", message};
}

bool has_key(const httplib::Request& request, const std::string& key) {
  constexpr std::string_view kScheme = "bearer ";
  const std::string value = request.get_header_value("Authorization");
  return lower_ascii(value).starts_with(kScheme) &&
         is_same(std::string_view(value).substr(kScheme.size()), key);
}

std::optional<Refusal> refusal_of_body(const httplib::Request& request, std::size_t body_bytes) {
  const std::size_t lengths = request.get_header_value_count("Content-Length");
  const std::size_t codings = request.get_header_value_count("Transfer-Encoding");
  const std::string length = request.get_header_value("Content-Length");
  const bool has_no_body = request.method == "GET" || request.method == "HEAD";
  if (lengths + codings > 1) return bad_request(400, "bad_request", "the body's length is given twice");
  if (codings == 1 &&
      (has_no_body || lower_ascii(request.get_header_value("Transfer-Encoding")) != "chunked"))
    return bad_request(400, "bad_request", "the only Transfer-Encoding is chunked, for POST");
  if (lengths == 1) {
    std::uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bytes);
    if (error == std::errc::invalid_argument || end != length.data() + length.size())
      return bad_request(400, "bad_request", "Content-Length is no number");
    if (error == std::errc::result_out_of_range || bytes > body_bytes) {
      return bad_request(413, "request_too_large",
                         fmt::format("the body is too large; at most {} bytes are taken", body_bytes));
    }
    if (has_no_body && bytes > 0) return bad_request(400, "bad_request", "a GET has no body");
  } else if (codings == 0 && !has_no_body) {
    return bad_request(411, "length_required", "the body needs a Content-Length");
  }
  const std::string encoding = lower_ascii(request.get_header_value("Content-Encoding"));
  if (!encoding.empty() && encoding != "identity")
    return bad_request(415, "unsupported_encoding", "the body must not be compressed");
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> refusal_of_head(const httplib::Request& request, const std::string& key,
                                       std::size_t body_bytes) {
  if (!key.empty() && request.path != "/health" && !has_key(request, key)) {
    return bad_request(401, "invalid_api_key",
                       "the key is missing or wrong; send it as 'Authorization: Bearer KEY'");
  }
  return refusal_of_body(request, body_bytes);
}

}  // namespace micius
