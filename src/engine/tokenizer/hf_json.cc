#include "engine/tokenizer/hf_json.h"

#include "base/json_builder.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kMaxDepth = 64;

struct AnyKeys {
  void add(const std::string&, std::string_view) {}
};

}  // namespace

HfJson parse_hf_json(std::string_view text, std::string_view where) {
  try {
    HfJson value;
    JsonBuilder<HfJson, AnyKeys> builder(value, kMaxDepth, where);
    HfJson::sax_parse(text, &builder);
    return value;
  } catch (const HfJson::parse_error& error) {
    fail(ErrorCode::kInvalidData, "{}: not valid JSON at byte {}", where, error.byte);
  } catch (const HfJson::exception& error) {  // a number out of range
    fail(ErrorCode::kInvalidData, "{}: not valid JSON: {}", where, error.what());
  }
}

std::optional<HfValue> HfValue::find(std::string_view key) const {
  if (!value_->is_object()) wrong("an object");
  const auto place = value_->find(key);
  if (place == value_->end() || place->is_null()) return std::nullopt;
  return HfValue(*place, fmt::format("{}.{}", where_, key));
}

HfValue HfValue::at(std::string_view key) const {
  if (auto value = find(key)) return *std::move(value);
  fail(ErrorCode::kInvalidData, "{}: the field '{}' is missing", where_, key);
}

std::size_t HfValue::size() const {
  if (!value_->is_array()) wrong("a list");
  return value_->size();
}

HfValue HfValue::at(std::size_t index) const {
  if (index >= size()) wrong(fmt::format("a list of more than {} values", index));
  return {(*value_)[index], fmt::format("{}[{}]", where_, index)};
}

std::string HfValue::text() const {
  if (!value_->is_string()) wrong("a text");
  return value_->get<std::string>();
}

double HfValue::number() const {
  if (!value_->is_number()) wrong("a number");
  return value_->get<double>();
}

std::int32_t HfValue::id() const {
  constexpr std::uint64_t kMaxId = std::uint64_t{1} << 24;
  if (!value_->is_number_unsigned() || value_->get<std::uint64_t>() > kMaxId)
    wrong(fmt::format("an id of 0 to {}", kMaxId));
  return value_->get<std::int32_t>();
}

std::string HfValue::text_or(std::string_view key, std::string_view fallback) const {
  const auto value = find(key);
  return value ? value->text() : std::string(fallback);
}

bool HfValue::flag_or(std::string_view key, bool fallback) const {
  const auto value = find(key);
  if (!value) return fallback;
  if (!value->json().is_boolean()) value->wrong("true or false");
  return value->json().get<bool>();
}

void HfValue::wrong(std::string_view expected) const {
  fail(ErrorCode::kInvalidData, "{}: expected {}, not {}", where_, expected, value_->type_name());
}

void HfValue::not_covered(std::string_view what) const {
  const std::string shown =
      what.empty() ? value_->dump(-1, ' ', false, HfJson::error_handler_t::replace) : std::string(what);
  fail(ErrorCode::kUnsupported, "{}: the engine's tokenizers do not cover {}; convert the model to GGUF",
       where_, shorten(to_valid_utf8(shown), 200));
}

void HfValue::only(std::string_view key, const HfJson& covered) const {
  if (const auto value = find(key); value && value->json() != covered) value->not_covered();
}

}  // namespace micius
