#include "core/attempt_json.h"

#include <chrono>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"

namespace micius {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kMost = 1'000'000'000'000'000;  // nanoseconds or bytes

std::int64_t count_of(const JsonFields& fields, const char* key) {
  const std::int64_t count = fields.integer_or(key, 0);
  if (count < 0 || count > kMost)
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be 0 to {}, found {}", fields.where(), key, kMost,
         count);
  return count;
}

std::optional<nanoseconds> wait_of(const JsonFields& fields, const char* key) {
  if (!fields.has(key)) return std::nullopt;
  return nanoseconds(count_of(fields, key));
}

Json to_json(const Attempt& a) {
  Json json = Json::object();
  if (a.part != 0) json["part"] = a.part;
  json["began_ns"] = a.began.count();
  json["ended_ns"] = a.ended.count();
  if (a.status != 0) json["status"] = a.status;
  if (!a.code.empty()) json["code"] = a.code;
  if (!a.message.empty()) json["message"] = a.message;
  if (a.wait_asked) json["wait_asked_ns"] = a.wait_asked->count();
  if (a.waited) json["waited_ns"] = a.waited->count();
  if (!a.request_id.empty()) json["request_id"] = a.request_id;
  if (a.bytes != 0) json["bytes"] = a.bytes;
  if (!a.invalid_utf8_sha256.empty()) json["invalid_utf8_sha256"] = a.invalid_utf8_sha256;
  return json;
}

Attempt attempt_from_json(const Json& json, const std::string& where) {
  const JsonFields f(json, where);
  Attempt a;
  a.part = static_cast<std::size_t>(count_of(f, "part"));
  a.began = nanoseconds(count_of(f, "began_ns"));
  a.ended = nanoseconds(count_of(f, "ended_ns"));
  a.status = static_cast<int>(count_of(f, "status"));
  a.code = f.string_or("code", "");
  a.message = f.string_or("message", "");
  a.wait_asked = wait_of(f, "wait_asked_ns");
  a.waited = wait_of(f, "waited_ns");
  a.request_id = f.string_or("request_id", "");
  a.bytes = static_cast<std::uint64_t>(count_of(f, "bytes"));
  a.invalid_utf8_sha256 = f.string_or("invalid_utf8_sha256", "");
  return a;
}

}  // namespace

Json to_json(const std::vector<Attempt>& attempts) {
  Json list = Json::array();
  for (const Attempt& attempt : attempts) list.push_back(to_json(attempt));
  return list;
}

std::vector<Attempt> attempts_from_json(const Json& json, const std::string& where) {
  std::vector<Attempt> attempts;
  for (std::size_t i = 0; i < json.size(); ++i)
    attempts.push_back(attempt_from_json(json[i], fmt::format("{}.{}", where, i)));
  return attempts;
}

}  // namespace micius
