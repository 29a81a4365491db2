#include "engine/gguf_builder.h"

#include "engine/gguf.h"

namespace micius {
namespace {

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_string(std::string& out, std::string_view text) {
  put<std::uint64_t>(out, text.size());
  out += text;
}

void put_key(std::string& out, std::string_view key, GgufType type) {
  put_string(out, key);
  put(out, type);
}

void pad(std::string& out) { out.resize((out.size() + 31) / 32 * 32); }

std::uint32_t number_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return 0;
    case DType::kF16:
      return 1;
    case DType::kQ4_0:
      return 2;
    case DType::kQ4_1:
      return 3;
    case DType::kQ5_0:
      return 6;
    case DType::kQ5_1:
      return 7;
    case DType::kQ8_0:
      return 8;
    case DType::kQ4_K:
      return 12;
    case DType::kQ5_K:
      return 13;
    case DType::kQ6_K:
      return 14;
    case DType::kBF16:
      return 30;
  }
  return 0;
}

}  // namespace

GgufBuilder& GgufBuilder::integer(std::string_view key, std::uint32_t value) {
  put_key(values_, key, GgufType::kU32);
  put(values_, value);
  ++value_count_;
  return *this;
}

GgufBuilder& GgufBuilder::number(std::string_view key, float value) {
  put_key(values_, key, GgufType::kF32);
  put(values_, value);
  ++value_count_;
  return *this;
}

GgufBuilder& GgufBuilder::boolean(std::string_view key, std::uint8_t value) {
  put_key(values_, key, GgufType::kBool);
  put(values_, value);
  ++value_count_;
  return *this;
}

GgufBuilder& GgufBuilder::string(std::string_view key, std::string_view value) {
  put_key(values_, key, GgufType::kString);
  put_string(values_, value);
  ++value_count_;
  return *this;
}

GgufBuilder& GgufBuilder::strings(std::string_view key, const std::vector<std::string>& values) {
  put_key(values_, key, GgufType::kArray);
  put(values_, GgufType::kString);
  put<std::uint64_t>(values_, values.size());
  for (const std::string& value : values) put_string(values_, value);
  ++value_count_;
  return *this;
}

GgufBuilder& GgufBuilder::integers(std::string_view key, const std::vector<std::int32_t>& values) {
  put_key(values_, key, GgufType::kArray);
  put(values_, GgufType::kI32);
  put<std::uint64_t>(values_, values.size());
  for (const std::int32_t value : values) put(values_, value);
  ++value_count_;
  return *this;
}

GgufBuilder& GgufBuilder::tensor(std::string_view name, DType dtype,
                                 const std::vector<std::uint64_t>& dimensions, std::string_view bytes) {
  Tensor tensor{{}, std::string(bytes)};
  put_string(tensor.info, name);
  put<std::uint32_t>(tensor.info, static_cast<std::uint32_t>(dimensions.size()));
  for (const std::uint64_t size : dimensions) put(tensor.info, size);
  put(tensor.info, number_of(dtype));
  tensors_.push_back(std::move(tensor));
  return *this;
}

std::string GgufBuilder::build() const {
  std::string out = "GGUF", data;
  put<std::uint32_t>(out, 3);
  put<std::uint64_t>(out, tensors_.size());
  put(out, value_count_);
  out += values_;
  for (const Tensor& tensor : tensors_) {
    out += tensor.info;
    put<std::uint64_t>(out, data.size());
    data += tensor.bytes;
    pad(data);
  }
  pad(out);
  return out + data;
}

}  // namespace micius
