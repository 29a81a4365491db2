#include "runners/batch_provider.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "net/api_json.h"

namespace micius {
namespace {

constexpr int kMostPages = 200;  // of 100 batches

ApiEnd unread(const std::string& path, const std::string& why) {
  return {ApiNext::kStop, "batch",
          fmt::format("the provider's list of batches ({}) cannot be read to its end: {}; whether the "
                      "batch was made is not known. `micius resume` looks again, `micius run --fresh` "
                      "asks everything anew",
                      path, why)};
}

}  // namespace

BatchMaking making_of(const BatchStep<WireAnswer>& answer) {
  // "bad_response": the provider, or a proxy before it, said yes in words that nobody understands.
  static constexpr std::array<std::string_view, 5> kUnclear = {"connection", "timeout", "server",
                                                               "bad_response", "cancelled"};
  const BatchStep<Json> made = object_of(answer);
  const auto* json = std::get_if<Json>(&made);
  const BatchStep<std::string> id = json != nullptr ? id_at(*json, "id") : std::get<ApiEnd>(made);
  if (const auto* text = std::get_if<std::string>(&id)) return {BatchMaking::Kind::kMade, *text};
  const ApiEnd& why = std::get<ApiEnd>(id);
  const bool is_unclear = std::find(kUnclear.begin(), kUnclear.end(), why.code) != kUnclear.end();
  return {is_unclear ? BatchMaking::Kind::kUnknown : BatchMaking::Kind::kNotMade, "", why};
}

BatchStep<std::monostate> for_each_listed(BatchWire& wire, const std::string& path, const char* after,
                                          const OnListed& fn) {
  std::string last;
  for (int page = 0; page < kMostPages; ++page) {
    const auto answer =
        wire.get(path + "?limit=100" + (last.empty() ? "" : fmt::format("&{}={}", after, last)));
    if (const auto* end = std::get_if<ApiEnd>(&answer)) return *end;
    const WireAnswer& told = std::get<WireAnswer>(answer);
    const std::optional<Json> list = told.status == 200 ? parse_body(told.body) : std::nullopt;
    const Json* data = list && list->is_object() ? find_json(*list, "data") : nullptr;
    if (data == nullptr || !data->is_array())
      return unread(path, fmt::format("HTTP {} '{}'", told.status, kept(strip(told.body).substr(0, 200))));
    for (const Json& one : *data) {
      const auto id = id_at(one, "id");
      if (const auto* end = std::get_if<ApiEnd>(&id)) return unread(path, end->message);
      last = std::get<std::string>(id);
      if (!fn(last, one)) return std::monostate{};
    }
    const Json* more = find_json(*list, "has_more");
    if (data->empty() || more == nullptr || *more != true) return std::monostate{};
  }
  return unread(path, fmt::format("it has more than {} pages", kMostPages));
}

void for_each_row(const std::string& body, const std::function<void(const Json&, std::size_t)>& fn) {
  for_each_line(body, [&](std::string_view line, std::size_t) {
    const std::optional<Json> row = parse_body(line);
    if (row && row->is_object()) fn(*row, line.size());
  });
}

}  // namespace micius
