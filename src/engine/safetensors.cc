#include "engine/safetensors.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json_builder.h"
#include "base/text.h"
#include "engine/mapped_pages.h"
#include "engine/quant.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// Sorted objects: an ordered one finds a key in time by its size, and a header has a key for each tensor.
using Header = nlohmann::json;

constexpr std::size_t kMaxHeader = std::size_t{16} << 20;  // the format says 100 MB; real ones are below 10
constexpr std::size_t kMaxDepth = 3;                       // header, tensor, list
constexpr std::size_t kMaxDimensions = 8;
constexpr std::size_t kMaxValues = std::size_t{1} << 40;  // of a tensor; keeps every product below 2^64
constexpr std::string_view kIndexEnding = ".index.json";

// Names come from the file: shortened and made printable for messages.
std::string in_quotes(std::string_view name) {
  return fmt::format("'{}'", shorten(to_valid_utf8(name.substr(0, 400)), 100));
}

std::optional<DType> dtype_from(std::string_view type) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    if (type == dtype_name(dtype)) return dtype;
  }
  return std::nullopt;
}

// Bytes of a value; absent for a type that the format does not have.
std::optional<std::size_t> size_of(std::string_view type) {
  struct Size {
    std::string_view type;
    std::size_t bytes;
  };
  constexpr Size kSizes[] = {{"F32", 4},     {"F16", 2},    {"BF16", 2}, {"F64", 8}, {"I64", 8},
                             {"I32", 4},     {"I16", 2},    {"I8", 1},   {"U64", 8}, {"U32", 4},
                             {"U16", 2},     {"U8", 1},     {"BOOL", 1}, {"C64", 8}, {"F8_E5M2", 1},
                             {"F8_E4M3", 1}, {"F8_E8M0", 1}};
  for (const Size& size : kSizes) {
    if (type == size.type) return size.bytes;
  }
  return std::nullopt;
}

// JSON that stands at byte `start` of a file.
Header parse_header(std::string_view text, const std::string& file, std::size_t start) {
  try {
    Header header;
    JsonBuilder builder(header, kMaxDepth, file, DistinctKeys("the file is damaged: fetch it again"));
    Header::sax_parse(text, &builder);
    return header;
  } catch (const nlohmann::json::parse_error& error) {
    fail(ErrorCode::kInvalidData, "{}: byte {}: not valid JSON; the file is damaged: fetch it again", file,
         start + (error.byte == 0 ? 0 : error.byte - 1));
  } catch (const nlohmann::json::exception& error) {  // a number out of range
    fail(ErrorCode::kInvalidData, "{}: not valid JSON: {}", file, error.what());
  }
}

// Reads one file; every number is checked against what the file holds.
class FileReader {
 public:
  FileReader(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  std::vector<SafetensorsTensor> read() {
    const Header header = read_header();
    std::vector<Placed> placed;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        check_metadata(entry);
      } else {
        placed.push_back(read_tensor(name, entry));
      }
    }
    return place(std::move(placed));
  }

 private:
  struct Placed {
    SafetensorsTensor tensor;
    std::size_t begin, end;  // of its bytes, from the start of the data
  };

  [[noreturn]] void bad(std::string_view place, std::string_view expected) const {
    fail(ErrorCode::kInvalidData,
         "{}: {}: expected {}; the file is damaged or not safetensors: fetch it again", name_, place,
         expected);
  }

  [[noreturn]] void bad_field(std::string_view tensor, std::string_view field,
                              std::string_view expected) const {
    bad(fmt::format("tensor {}, field '{}'", in_quotes(tensor), field), expected);
  }

  Header read_header() {
    std::uint64_t size = 0;
    if (bytes_.size() < sizeof size) bad("byte 0", "the size of the header (8 bytes)");
    std::memcpy(&size, bytes_.data(), sizeof size);
    const std::size_t room = std::min(kMaxHeader, bytes_.size() - sizeof size);
    if (size > room) bad("byte 0", fmt::format("a header of at most {} bytes, not {}", room, size));
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + sizeof size,
                                static_cast<std::size_t>(size));
    Header header = parse_header(text, name_, sizeof size);
    if (!header.is_object()) bad("byte 8", "a JSON object");
    data_ = bytes_.subspan(sizeof size + static_cast<std::size_t>(size));
    return header;
  }

  void check_metadata(const Header& entry) const {
    const bool good = entry.is_object() &&
                      std::all_of(entry.begin(), entry.end(), [](const Header& v) { return v.is_string(); });
    if (!good) bad("field '__metadata__'", "an object of strings");
  }

  const Header& field(const std::string& tensor, const Header& entry, const char* key) const {
    const auto place = entry.find(key);
    if (place == entry.end()) bad_field(tensor, key, "a value");
    return *place;
  }

  // A list of whole numbers from 0 to `max`.
  std::vector<std::size_t> numbers(const std::string& tensor, const Header& entry, const char* key,
                                   std::size_t max) const {
    const Header& list = field(tensor, entry, key);
    if (!list.is_array()) bad_field(tensor, key, "a list of whole numbers");
    std::vector<std::size_t> values;
    for (const Header& value : list) {
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() > max) {
        bad_field(tensor, key, fmt::format("whole numbers from 0 to {}", max));
      }
      values.push_back(value.get<std::size_t>());
    }
    return values;
  }

  Placed read_tensor(const std::string& name, const Header& entry) const {
    if (!entry.is_object()) bad(fmt::format("tensor {}", in_quotes(name)), "an object");
    if (entry.size() != 3) {
      bad(fmt::format("tensor {}", in_quotes(name)), "the fields 'dtype', 'shape' and 'data_offsets' alone");
    }
    SafetensorsTensor tensor;
    tensor.name = name;
    const Header& type = field(name, entry, "dtype");
    if (!type.is_string()) bad_field(name, "dtype", "a string");
    tensor.type = type.get<std::string>();
    const auto value_bytes = size_of(tensor.type);
    if (!value_bytes) {
      fail(ErrorCode::kUnsupported, "{}: tensor {} has type {}, which the engine does not read", name_,
           in_quotes(name), in_quotes(tensor.type));
    }
    tensor.dtype = dtype_from(tensor.type);
    tensor.shape = numbers(name, entry, "shape", kMaxValues);
    const auto offsets = numbers(name, entry, "data_offsets", data_.size());
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
      bad_field(name, "data_offsets", "where its bytes begin and end");
    }
    const std::size_t bytes = values_of(tensor) * *value_bytes;
    if (offsets[1] - offsets[0] != bytes) {
      bad_field(name, "data_offsets",
                fmt::format("{} bytes, as type and shape ask for, not {}", bytes, offsets[1] - offsets[0]));
    }
    return {std::move(tensor), offsets[0], offsets[1]};
  }

  std::size_t values_of(const SafetensorsTensor& tensor) const {
    if (tensor.shape.size() > kMaxDimensions) {
      bad_field(tensor.name, "shape", fmt::format("at most {} dimensions", kMaxDimensions));
    }
    std::size_t values = 1;
    for (const std::size_t size : tensor.shape) {
      if (size != 0 && values > kMaxValues / size) {
        bad_field(tensor.name, "shape", "dimensions that a file can hold");
      }
      values *= size;
    }
    return values;
  }

  // The data is covered without holes and overlaps.
  std::vector<SafetensorsTensor> place(std::vector<Placed> placed) const {
    std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::vector<SafetensorsTensor> tensors;
    std::size_t end = 0;
    for (Placed& p : placed) {
      if (p.begin != end) {
        bad_field(p.tensor.name, "data_offsets",
                  fmt::format("bytes from {}, where the tensor before it ends, not from {}", end, p.begin));
      }
      end = p.end;
      p.tensor.bytes = data_.subspan(p.begin, p.end - p.begin);
      tensors.push_back(std::move(p.tensor));
    }
    if (end != data_.size()) {
      bad(fmt::format("byte {}", bytes_.size() - data_.size() + end),
          fmt::format("the end of the file, not {} more bytes", data_.size() - end));
    }
    return tensors;
  }

  std::span<const std::byte> bytes_, data_;
  const std::string& name_;
};

// Tensor to file name, as the index has it.
std::map<std::string, std::string> read_index(const fs::path& index) {
  const MappedFile map(index);
  const std::string name = index.string();
  if (map.bytes().size() > kMaxHeader) {
    fail(ErrorCode::kInvalidData, "{}: an index of {} bytes, at most {} are read", name, map.bytes().size(),
         kMaxHeader);
  }
  const Header json = parse_header(map.text(), name, 0);
  const auto files = json.is_object() ? json.find("weight_map") : json.end();
  if (files == json.end() || !files->is_object() || files->empty()) {
    fail(ErrorCode::kInvalidData, "{}: field 'weight_map': expected an object of file names by tensor", name);
  }
  std::map<std::string, std::string> shards;
  for (const auto& [tensor, file] : files->items()) {
    const std::string shard = file.is_string() ? file.get<std::string>() : "";
    if (shard.empty() || shard.find('/') != std::string::npos || !shard.ends_with(".safetensors")) {
      fail(ErrorCode::kInvalidData,
           "{}: field 'weight_map', tensor {}: expected the name of a .safetensors file beside it, not {}",
           name, in_quotes(tensor), in_quotes(shard));
    }
    shards.emplace(tensor, shard);
  }
  return shards;
}

fs::path file_in(const fs::path& folder) {
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  fail(ErrorCode::kNotFound, "{}: there is neither model.safetensors nor model.safetensors.index.json in it",
       folder.string());
}

}  // namespace

Safetensors::Safetensors(const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? file_in(path) : path;
  name_ = file.string();
  files_.push_back(file);
  if (name_.ends_with(kIndexEnding)) {
    add_shards(file);
  } else {
    maps_.emplace_back(file);
    add_file(maps_.back().bytes(), name_);
  }
}

Safetensors::Safetensors(std::span<const std::byte> bytes, std::string name) : name_(std::move(name)) {
  add_file(bytes, name_);
}

void Safetensors::add_file(std::span<const std::byte> bytes, const std::string& name) {
  size_ += bytes.size();
  for (SafetensorsTensor& tensor : FileReader(bytes, name).read()) {
    if (!places_.emplace(tensor.name, tensors_.size()).second) {
      fail(ErrorCode::kInvalidData, "{}: tensor {} is in another file of {} too", name,
           in_quotes(tensor.name), name_);
    }
    tensors_.push_back(std::move(tensor));
  }
}

void Safetensors::add_shards(const fs::path& index) {
  const std::map<std::string, std::string> shards = read_index(index);
  std::set<std::string> files;
  for (const auto& [tensor, file] : shards) files.insert(file);
  for (const std::string& file : files) {
    const fs::path shard = index.parent_path() / file;
    const std::size_t first = tensors_.size();
    files_.push_back(shard);
    maps_.emplace_back(shard);
    add_file(maps_.back().bytes(), shard.string());
    for (std::size_t i = first; i < tensors_.size(); ++i) {
      const auto place = shards.find(tensors_[i].name);
      if (place == shards.end() || place->second != file) {
        fail(ErrorCode::kInvalidData, "{}: tensor {} is in {}, which the index does not say", name_,
             in_quotes(tensors_[i].name), file);
      }
    }
  }
  for (const auto& [tensor, file] : shards) {
    if (find(tensor) == nullptr) {
      fail(ErrorCode::kInvalidData, "{}: tensor {} is not in {}; fetch the model again", name_,
           in_quotes(tensor), file);
    }
  }
}

const SafetensorsTensor* Safetensors::find(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : &tensors_[place->second];
}

MatrixView Safetensors::matrix(std::string_view name) const {
  const SafetensorsTensor* tensor = find(name);
  if (tensor == nullptr) {
    fail(ErrorCode::kInvalidData,
         "{}: tensor {} is missing; is it the model that its configuration describes?", name_,
         in_quotes(name));
  }
  if (!tensor->dtype) {
    fail(ErrorCode::kUnsupported, "{}: tensor {} has type {}; the engine calculates with F32, F16 and BF16",
         name_, in_quotes(name), tensor->type);
  }
  MatrixView view{*tensor->dtype, 1, 1, tensor->bytes.data()};
  for (std::size_t i = 0; i < tensor->shape.size(); ++i) {
    (i + 1 == tensor->shape.size() ? view.cols : view.rows) *= tensor->shape[i];
  }
  return view;
}

void Safetensors::release() const {
  for (const MappedFile& map : maps_) release_pages(map.bytes());
}

}  // namespace micius
