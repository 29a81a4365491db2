#include "embed/openai_embeddings.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/base64.h"
#include "net/api_json.h"

namespace micius {
namespace {

using Vector = std::vector<float>;

ApiError bad(std::string message) { return no_answer(ApiErrorKind::kBadResponse, std::move(message)); }

// Little-endian float32, whatever this machine is.
std::optional<Vector> floats_of(const std::string& base64) {
  const std::optional<std::string> bytes = decode_base64(base64);
  if (!bytes || bytes->size() % 4 != 0) return std::nullopt;
  Vector vector;
  for (std::size_t i = 0; i < bytes->size(); i += 4) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 4; ++k)
      bits |= static_cast<std::uint32_t>(static_cast<unsigned char>((*bytes)[i + k])) << 8 * k;
    vector.push_back(std::bit_cast<float>(bits));
  }
  return vector;
}

std::optional<Vector> vector_of(const Json& value) {
  if (value.is_string()) return floats_of(value.get<std::string>());
  if (!value.is_array()) return std::nullopt;
  Vector vector;
  for (const Json& number : value) {
    if (!number.is_number()) return std::nullopt;
    vector.push_back(number.get<float>());
  }
  return vector;
}

// False for one that has no direction.
bool normalise(Vector& vector) {
  double sum = 0;
  for (const float x : vector) sum += static_cast<double>(x) * static_cast<double>(x);
  if (!std::isfinite(sum) || sum <= 0) return false;
  const double length = std::sqrt(sum);
  for (float& x : vector) x = static_cast<float>(static_cast<double>(x) / length);
  return true;
}

}  // namespace

Json embeddings_body(std::span<const std::string> texts, const std::string& model, VectorEncoding encoding) {
  Json input = Json::array();
  for (const std::string& text : texts) input.push_back(text.empty() ? " " : text);
  return {{"model", model},
          {"input", std::move(input)},
          {"encoding_format", encoding == VectorEncoding::kBase64 ? "base64" : "float"}};
}

std::variant<std::vector<Vector>, ApiError> read_embeddings(const HttpHead& head, const std::string& body,
                                                            std::size_t texts,
                                                            std::chrono::system_clock::time_point now) {
  const auto object = read_object(head, body, now);
  if (const auto* error = std::get_if<ApiError>(&object)) return *error;
  const Json* data = find_json(std::get<Json>(object), "data");
  if (data == nullptr || !data->is_array()) return bad("no data in " + kept(body));
  if (data->size() != texts) return bad(fmt::format("{} vectors for {} texts", data->size(), texts));
  std::vector<Vector> vectors(texts);
  for (const Json& row : *data) {
    const Json* index = find_json(row, "index");
    if (index == nullptr || !index->is_number_unsigned() || index->get<std::size_t>() >= texts)
      return bad("a vector without its index");
    Vector& vector = vectors[index->get<std::size_t>()];
    if (!vector.empty()) return bad(fmt::format("two vectors of index {}", index->get<std::size_t>()));
    const Json* values = find_json(row, "embedding");
    auto read = values != nullptr ? vector_of(*values) : std::nullopt;
    if (!read || !normalise(*read)) return bad("an embedding that is no vector of finite numbers, or zero");
    vector = *std::move(read);
  }
  for (const Vector& vector : vectors) {
    if (vector.size() != vectors.front().size())
      return bad(fmt::format("vectors of {} and of {} numbers", vectors.front().size(), vector.size()));
  }
  return vectors;
}

}  // namespace micius
