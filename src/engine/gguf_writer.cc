#include "engine/gguf_writer.h"

#include <utility>

namespace micius {
namespace {

constexpr std::size_t kAlignment = 32;  // the format's default

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_string(std::string& out, std::string_view text) {
  put<std::uint64_t>(out, text.size());
  out += text;
}

template <typename T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

void put_key(std::string& out, std::string_view key, GgufType type) {
  put_string(out, key);
  put(out, type);
}

std::size_t padded(std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

void write_padded(const ByteSink& sink, std::string_view bytes) {
  sink(bytes);
  sink(std::string(padded(bytes.size()) - bytes.size(), '\0'));
}

}  // namespace

GgufWriter& GgufWriter::integer(std::string_view key, std::uint32_t value) {
  put_key(values_, key, GgufType::kU32);
  put(values_, value);
  ++value_count_;
  return *this;
}

GgufWriter& GgufWriter::number(std::string_view key, float value) {
  put_key(values_, key, GgufType::kF32);
  put(values_, value);
  ++value_count_;
  return *this;
}

GgufWriter& GgufWriter::boolean(std::string_view key, bool value) {
  put_key(values_, key, GgufType::kBool);
  put<std::uint8_t>(values_, value ? 1 : 0);
  ++value_count_;
  return *this;
}

GgufWriter& GgufWriter::string(std::string_view key, std::string_view value) {
  put_key(values_, key, GgufType::kString);
  put_string(values_, value);
  ++value_count_;
  return *this;
}

GgufWriter& GgufWriter::strings(std::string_view key, const std::vector<std::string>& values) {
  put_key(values_, key, GgufType::kArray);
  put(values_, GgufType::kString);
  put<std::uint64_t>(values_, values.size());
  for (const std::string& value : values) put_string(values_, value);
  ++value_count_;
  return *this;
}

GgufWriter& GgufWriter::array(std::string_view key, GgufType type, std::size_t count,
                              std::string_view bytes) {
  put_key(values_, key, GgufType::kArray);
  put(values_, type);
  put<std::uint64_t>(values_, count);
  values_ += bytes;
  ++value_count_;
  return *this;
}

GgufWriter& GgufWriter::integers(std::string_view key, const std::vector<std::int32_t>& values) {
  return array(key, GgufType::kI32, values.size(), bytes_of(values));
}

GgufWriter& GgufWriter::numbers(std::string_view key, const std::vector<float>& values) {
  return array(key, GgufType::kF32, values.size(), bytes_of(values));
}

GgufWriter& GgufWriter::bytes(std::string_view key, std::string_view values) {
  return array(key, GgufType::kU8, values.size(), values);
}

GgufWriter& GgufWriter::value(std::string_view key, const GgufValue& value) {
  put_key(values_, key, value.is_array ? GgufType::kArray : value.type);
  if (value.is_array) {
    put(values_, value.type);
    put<std::uint64_t>(values_, value.count);
  }
  values_.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
  ++value_count_;
  return *this;
}

GgufWriter& GgufWriter::tensor(std::string_view name, DType dtype,
                               const std::vector<std::uint64_t>& dimensions, std::size_t bytes, Fill fill) {
  Tensor tensor{{}, bytes, std::move(fill)};
  put_string(tensor.info, name);
  put<std::uint32_t>(tensor.info, static_cast<std::uint32_t>(dimensions.size()));
  for (const std::uint64_t size : dimensions) put(tensor.info, size);
  put(tensor.info, gguf_number(dtype));
  tensors_.push_back(std::move(tensor));
  return *this;
}

void GgufWriter::write(const ByteSink& sink) const {
  std::string head = "GGUF";
  put<std::uint32_t>(head, 3);
  put<std::uint64_t>(head, tensors_.size());
  put(head, value_count_);
  head += values_;
  std::size_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    head += tensor.info;
    put<std::uint64_t>(head, offset);
    offset += padded(tensor.bytes);
  }
  write_padded(sink, head);
  std::string bytes;
  for (const Tensor& tensor : tensors_) {
    bytes.assign(tensor.bytes, '\0');
    tensor.fill(std::as_writable_bytes(std::span(bytes.data(), bytes.size())));
    write_padded(sink, bytes);
  }
}

}  // namespace micius
