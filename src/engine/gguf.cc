#include "engine/gguf.h"

#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "engine/mapped_pages.h"
#include "engine/quant.h"

namespace micius {
namespace {

constexpr std::size_t kMaxKeyBytes = 65535;  // the format's limit
constexpr std::size_t kMaxNameBytes = 256;   // the format says 64; files in the wild are longer
constexpr std::size_t kMaxDimensions = 4;
constexpr std::uint64_t kMaxValues = std::uint64_t{1} << 40;  // of a tensor; keeps every product below 2^64
constexpr std::uint64_t kMaxAlignment = 1 << 20;
constexpr std::uint64_t kDefaultAlignment = 32;

struct TypeNumber {
  DType dtype;
  std::uint32_t number;
};
constexpr TypeNumber kTypeNumbers[] = {{DType::kF32, 0},   {DType::kF16, 1},   {DType::kQ4_0, 2},
                                       {DType::kQ4_1, 3},  {DType::kQ5_0, 6},  {DType::kQ5_1, 7},
                                       {DType::kQ8_0, 8},  {DType::kQ4_K, 12}, {DType::kQ5_K, 13},
                                       {DType::kQ6_K, 14}, {DType::kBF16, 30}};

std::optional<DType> dtype_from_number(std::uint32_t number) {
  for (const TypeNumber& type : kTypeNumbers) {
    if (type.number == number) return type.dtype;
  }
  return std::nullopt;
}

// Bytes of a value of fixed size; absent for strings, arrays and unknown types.
std::optional<std::size_t> fixed_size(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64:
      return 8;
    default:
      return std::nullopt;
  }
}

// Names come from the file: shortened and made printable for messages.
std::string quoted(std::string_view name) {
  return fmt::format("'{}'", shorten(to_valid_utf8(name.substr(0, 400)), 100));
}

template <typename T>
T load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

std::string_view string_at(const std::byte* bytes) {
  return {reinterpret_cast<const char*>(bytes) + 8, static_cast<std::size_t>(load<std::uint64_t>(bytes))};
}

// The whole number at `bytes`; absent if it is negative or not a whole number.
std::optional<std::uint64_t> integer_at(GgufType type, const std::byte* bytes) {
  const auto not_negative = [](std::int64_t value) -> std::optional<std::uint64_t> {
    if (value < 0) return std::nullopt;
    return static_cast<std::uint64_t>(value);
  };
  switch (type) {
    case GgufType::kU8:
      return load<std::uint8_t>(bytes);
    case GgufType::kU16:
      return load<std::uint16_t>(bytes);
    case GgufType::kU32:
      return load<std::uint32_t>(bytes);
    case GgufType::kU64:
      return load<std::uint64_t>(bytes);
    case GgufType::kI8:
      return not_negative(load<std::int8_t>(bytes));
    case GgufType::kI16:
      return not_negative(load<std::int16_t>(bytes));
    case GgufType::kI32:
      return not_negative(load<std::int32_t>(bytes));
    case GgufType::kI64:
      return not_negative(load<std::int64_t>(bytes));
    default:
      return std::nullopt;
  }
}

}  // namespace

// Walks the file from the front; every read is checked against what is left.
class GgufFile::Reader {
 public:
  explicit Reader(GgufFile& file) : file_(file) {}

  void read() {
    std::uint64_t tensor_count = 0, value_count = 0;
    read_header(tensor_count, value_count);
    for (std::uint64_t i = 0; i < value_count; ++i) read_value();
    for (std::uint64_t i = 0; i < tensor_count; ++i) read_tensor_info();
    place_tensors();
  }

 private:
  struct Placement {
    std::size_t info_offset;  // of the tensor's entry, for messages
    std::uint64_t offset;     // of its bytes, from the start of the data
    std::uint64_t size;
  };

  [[noreturn]] void bad(std::size_t offset, std::string_view expected) const {
    fail(ErrorCode::kInvalidData, "{}: byte {}: expected {}; the file is damaged or not GGUF: fetch it again",
         file_.name_, offset, expected);
  }

  std::size_t left() const { return file_.bytes_.size() - position_; }

  const std::byte* take(std::uint64_t size, std::string_view what) {
    if (size > left()) bad(position_, fmt::format("{} ({} bytes, {} are left)", what, size, left()));
    const std::byte* bytes = file_.bytes_.data() + position_;
    position_ += static_cast<std::size_t>(size);
    return bytes;
  }

  template <typename T>
  T take_number(std::string_view what) {
    return load<T>(take(sizeof(T), what));
  }

  std::string_view take_string(std::size_t max, std::string_view what) {
    const std::size_t start = position_;
    const auto size = take_number<std::uint64_t>(what);
    if (size > max) bad(start, fmt::format("{} of at most {} bytes, not {}", what, max, size));
    return {reinterpret_cast<const char*>(take(size, what)), static_cast<std::size_t>(size)};
  }

  void read_header(std::uint64_t& tensor_count, std::uint64_t& value_count) {
    if (left() < 4 || std::memcmp(take(4, "magic"), "GGUF", 4) != 0) bad(0, "the magic 'GGUF'");
    const auto version = take_number<std::uint32_t>("a version");
    if (version != 2 && version != 3) bad(4, fmt::format("version 2 or 3, little-endian, not {}", version));
    tensor_count = take_number<std::uint64_t>("the number of tensors");
    value_count = take_number<std::uint64_t>("the number of metadata values");
    // The shortest entries: a tensor's is 32 bytes, a value's 14.
    if (tensor_count > left() / 32)
      bad(8, fmt::format("a number of tensors that fits, not {}", tensor_count));
    if (value_count > left() / 14) bad(16, fmt::format("a number of values that fits, not {}", value_count));
  }

  void read_value() {
    const std::size_t start = position_;
    const std::string_view key = take_string(kMaxKeyBytes, "a metadata key");
    if (key.empty()) bad(start, "a metadata key, not an empty one");
    GgufValue value;
    const std::size_t type_offset = position_;
    value.type = GgufType{take_number<std::uint32_t>("a value type")};
    if (value.type == GgufType::kArray) {
      value.is_array = true;
      value.type = GgufType{take_number<std::uint32_t>("an element type")};
      value.count = take_number<std::uint64_t>("a number of elements");
    }
    const std::size_t data = position_;
    if (const auto size = fixed_size(value.type)) {
      if (value.count > left() / *size) {
        bad(data, fmt::format("{} values of {} bytes for key {}, {} bytes are left", value.count, *size,
                              quoted(key), left()));
      }
      take(value.count * *size, "values");
    } else if (value.type == GgufType::kString) {
      for (std::uint64_t i = 0; i < value.count; ++i) {
        take_string(std::numeric_limits<std::size_t>::max(), "a string");
      }
    } else {
      bad(type_offset, fmt::format("a value type for key {} (arrays of arrays are not read), not {}",
                                   quoted(key), static_cast<std::uint32_t>(value.type)));
    }
    value.bytes = file_.bytes_.subspan(data, position_ - data);
    if (!file_.values_.emplace(key, value).second) bad(start, fmt::format("key {} only once", quoted(key)));
  }

  void read_tensor_info() {
    const std::size_t start = position_;
    GgufTensor tensor;
    tensor.name = take_string(kMaxNameBytes, "a tensor name");
    const auto dimensions = take_number<std::uint32_t>("a number of dimensions");
    if (dimensions < 1 || dimensions > kMaxDimensions) {
      bad(start, fmt::format("1 to {} dimensions of tensor {}, not {}", kMaxDimensions, quoted(tensor.name),
                             dimensions));
    }
    std::uint64_t rows = 1, cols = 1;
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      const auto size = take_number<std::uint64_t>("a dimension");
      if (size < 1 || size > kMaxValues / (rows * cols)) {
        bad(start, fmt::format("dimensions of tensor {} that a file can hold", quoted(tensor.name)));
      }
      (i == 0 ? cols : rows) *= size;
    }
    const auto type = take_number<std::uint32_t>("a tensor type");
    const auto dtype = dtype_from_number(type);
    if (!dtype) {
      fail(
          ErrorCode::kUnsupported,
          "{}: byte {}: tensor {} has type {}, which the engine does not read; use a file in F32, F16, BF16, "
          "Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K",
          file_.name_, start, quoted(tensor.name), type);
    }
    const BlockShape block = block_shape(*dtype);
    if (cols % block.values != 0) {
      bad(start,
          fmt::format("rows of tensor {} in blocks of {}, not {}", quoted(tensor.name), block.values, cols));
    }
    tensor.dtype = *dtype;
    tensor.rows = rows;
    tensor.cols = cols;
    const auto offset = take_number<std::uint64_t>("a tensor offset");
    placements_.push_back({start, offset, rows * (cols / block.values) * block.bytes});
    if (!file_.tensor_index_.emplace(tensor.name, file_.tensors_.size()).second) {
      bad(start, fmt::format("tensor {} only once", quoted(tensor.name)));
    }
    file_.tensors_.push_back(tensor);
  }

  void place_tensors() {
    const std::uint64_t alignment = file_.integer_if("general.alignment").value_or(kDefaultAlignment);
    if (!std::has_single_bit(alignment) || alignment > kMaxAlignment) {
      fail(ErrorCode::kInvalidData, "{}: key 'general.alignment': expected a power of two up to {}, not {}",
           file_.name_, kMaxAlignment, alignment);
    }
    const std::uint64_t start = (position_ + alignment - 1) / alignment * alignment;
    for (std::size_t i = 0; i < placements_.size(); ++i) {
      const auto& [info, offset, size] = placements_[i];
      const std::uint64_t room = start > file_.bytes_.size() ? 0 : file_.bytes_.size() - start;
      if (offset % alignment != 0 || offset > room || size > room - offset) {
        bad(info, fmt::format("tensor {} inside the file at a multiple of {}, not {} bytes at {} of {}",
                              quoted(file_.tensors_[i].name), alignment, size, offset, room));
      }
      file_.tensors_[i].bytes = file_.bytes_.subspan(start + offset, size);
    }
  }

  GgufFile& file_;
  std::size_t position_ = 0;
  std::vector<Placement> placements_;  // of file_.tensors_
};

GgufFile::GgufFile(const std::filesystem::path& path) : name_(path.string()), map_(path) {
  bytes_ = map_->bytes();
  Reader(*this).read();
}

GgufFile::GgufFile(std::span<const std::byte> bytes, std::string name)
    : name_(std::move(name)), bytes_(bytes) {
  Reader(*this).read();
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

const GgufValue& GgufFile::value(std::string_view key) const {
  if (const GgufValue* found = find(key)) return *found;
  fail(ErrorCode::kInvalidData, "{}: key '{}' is missing; convert the model again with a current converter",
       name_, key);
}

void GgufFile::mistyped(std::string_view key, std::string_view expected) const {
  fail(ErrorCode::kInvalidData, "{}: key '{}': expected {}", name_, key, expected);
}

std::uint64_t GgufFile::integer(std::string_view key) const {
  const GgufValue& found = value(key);
  const auto number = found.is_array ? std::nullopt : integer_at(found.type, found.bytes.data());
  if (!number) mistyped(key, "a whole number that is not negative");
  return *number;
}

double GgufFile::number(std::string_view key) const {
  const GgufValue& found = value(key);
  if (!found.is_array && found.type == GgufType::kF32) return load<float>(found.bytes.data());
  if (!found.is_array && found.type == GgufType::kF64) return load<double>(found.bytes.data());
  return static_cast<double>(integer(key));
}

std::string_view GgufFile::string(std::string_view key) const {
  const GgufValue& found = value(key);
  if (found.is_array || found.type != GgufType::kString) mistyped(key, "a string");
  return string_at(found.bytes.data());
}

std::optional<std::uint64_t> GgufFile::integer_if(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return integer(key);
}

std::optional<double> GgufFile::number_if(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return number(key);
}

std::optional<std::string_view> GgufFile::string_if(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return string(key);
}

std::optional<bool> GgufFile::boolean_if(std::string_view key) const {
  const GgufValue* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (found->is_array || found->type != GgufType::kBool) mistyped(key, "true or false");
  return found->bytes.front() != std::byte{0};
}

std::vector<std::string> GgufFile::strings(std::string_view key) const {
  const GgufValue& found = value(key);
  if (!found.is_array || found.type != GgufType::kString) mistyped(key, "an array of strings");
  std::vector<std::string> strings;
  strings.reserve(found.count);
  const std::byte* next = found.bytes.data();
  for (std::uint64_t i = 0; i < found.count; ++i) {
    const std::string_view text = string_at(next);
    strings.emplace_back(text);
    next += 8 + text.size();
  }
  return strings;
}

std::vector<std::uint64_t> GgufFile::integers(std::string_view key) const {
  const GgufValue& found = value(key);
  const auto size = fixed_size(found.type);
  if (!found.is_array || !size) mistyped(key, "an array of whole numbers");
  std::vector<std::uint64_t> numbers;
  numbers.reserve(found.count);
  for (std::uint64_t i = 0; i < found.count; ++i) {
    const auto number = integer_at(found.type, found.bytes.data() + i * *size);
    if (!number) mistyped(key, "an array of whole numbers that are not negative");
    numbers.push_back(*number);
  }
  return numbers;
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto it = tensor_index_.find(name);
  return it == tensor_index_.end() ? nullptr : &tensors_[it->second];
}

std::uint32_t gguf_number(DType dtype) {
  for (const TypeNumber& type : kTypeNumbers) {
    if (type.dtype == dtype) return type.number;
  }
  fail(ErrorCode::kUnsupported, "GGUF has no number for tensors of type {}", dtype_name(dtype));
}

MatrixView GgufFile::matrix(std::string_view name) const {
  const GgufTensor* tensor = find_tensor(name);
  if (tensor == nullptr) {
    fail(ErrorCode::kInvalidData,
         "{}: tensor '{}' is missing; convert the model again with a current converter", name_, name);
  }
  return {tensor->dtype, tensor->rows, tensor->cols, tensor->bytes.data()};
}

void GgufFile::release() const {
  if (map_) release_pages(map_->bytes());
}

}  // namespace micius
