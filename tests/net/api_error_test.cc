#include "net/api_error.h"

#include <string>

#include <catch2/catch.hpp>

namespace micius {
namespace {

std::string kind_of(int status, const std::string& body) {
  return std::string(api_error_name(error_of({status, {}, ""}, body, {}).kind));
}

ApiError inside(const std::string& body) { return error_inside(Json::parse(body)); }

}  // namespace

TEST_CASE("no part of a key is shown") {
  const std::string key = "sk-live-0123456789abcdef";
  CHECK(without_secret("Incorrect key: " + key + ".", key) == "Incorrect key: ***.");
  CHECK(without_secret("Incorrect key: sk-live-*****cdef.", key) == "Incorrect key: ********cdef.");
  CHECK(without_secret("nothing here", key) == "nothing here");
  CHECK(without_secret("EMPTY", "EMPTY") == "EMPTY");
  CHECK(without_secret("anything", "") == "anything");
}

TEST_CASE("an error inside a 200 is what its type says") {
  const ApiError overloaded =
      inside(R"({"type": "error", "error": {"type": "overloaded_error", "message": "m"}})");
  CHECK(overloaded.status == 529);
  CHECK(overloaded.may_retry);
  CHECK(inside(R"({"error": {"type": "rate_limit_error", "message": "try again in 3s"}})").status == 429);
  CHECK(inside(R"({"error": {"type": "rate_limit_error", "message": "try again in 3s"}})").wait ==
        Seconds(3));
  CHECK(inside(R"({"error": {"code": 503, "type": "unavailable_error"}})").status == 503);
  CHECK(inside(R"({"error": {"code": 400, "type": "exceed_context_size_error"}})").kind ==
        ApiErrorKind::kContextExceeded);
  CHECK(inside(R"({"error": {"type": "insufficient_quota"}})").kind == ApiErrorKind::kQuota);
  CHECK(inside(R"({"error": {"type": "authentication_error"}})").kind == ApiErrorKind::kAuth);
  CHECK(inside(R"({"error": {"type": "server_error", "code": null}})").status == 500);
  CHECK(inside(R"({"error": {"code": 7}})").status == 500);
  CHECK(inside(R"({"error": "broken"})").message == "broken");
  CHECK(inside(R"({"error": [1]})").kind == ApiErrorKind::kServer);
}

TEST_CASE("a field that the words refuse is known by them") {
  const auto field = [](const std::string& message) {
    const ApiError error = error_of({400, {}, ""}, Json{{"error", {{"message", message}}}}.dump(), {});
    return error.kind == ApiErrorKind::kUnsupportedField ? error.field : "";
  };
  CHECK(field("Unrecognized request argument supplied: top_k") == "top_k");
  CHECK(field("Unrecognized request argument supplied: max_completion_tokens") == "max_completion_tokens");
  CHECK(field("top_k: Extra inputs are not permitted") == "top_k");
  CHECK(field("`temperature` and `top_p` cannot both be specified for this model.") == "top_p");
  CHECK(field("`temperature` is deprecated for this model.") == "temperature");
  CHECK(field("messages: Extra inputs are not permitted").empty());
  CHECK(field("temperature: must be at most 2").empty());
}

TEST_CASE("a status says what went wrong where the body does not") {
  CHECK(kind_of(404, "") == "not_found");
  CHECK(kind_of(501, "") == "request");
  CHECK(kind_of(522, "<html>") == "server");
  CHECK(kind_of(302, "") == "config");
  CHECK(kind_of(418, "[1, 2]") == "request");
  CHECK(kind_of(400, R"({"error": {"message": {"a": 1}, "code": [], "param": {}}})") == "request");
}

}  // namespace micius
