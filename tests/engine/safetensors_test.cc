#include "engine/safetensors.h"

#include <cstring>
#include <memory>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/rng.h"
#include "engine/safetensors_builder.h"

namespace micius {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string small_file() {
  return SafetensorsBuilder()
      .tensor("ids", "I64", "[1,2]", std::string(16, '\1'))
      .floats("scalar", {}, {5})
      .floats("matrix", {2, 3}, {0, 1, 2, 3, 4, 5})
      .tensor("half", "F16", "[4]", std::string(8, '\2'))
      .tensor("cube", "BF16", "[2,2,3]", std::string(24, '\3'))
      .tensor("empty", "F32", "[0,7]", "")
      .build();
}

// Opens a copy that ends where the memory ends, so that the address sanitizer sees a read behind it. Returns
// whether it was accepted; anything but an Error escapes and fails the test.
bool accepts(std::string_view text) {
  const auto copy = std::make_unique<std::byte[]>(text.size());
  std::memcpy(copy.get(), text.data(), text.size());
  try {
    const Safetensors file({copy.get(), text.size()}, "mutant.safetensors");
    unsigned sum = 0;
    for (const SafetensorsTensor& tensor : file.tensors()) {
      for (const std::byte byte : tensor.bytes) sum += std::to_integer<unsigned>(byte);
      if (tensor.dtype) sum += static_cast<unsigned>(file.matrix(tensor.name).rows);
    }
    CHECK(sum < 1u << 31);
    return true;
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("mutant.safetensors: ") == 0);
    return false;
  }
}

std::string message_of(const std::string& text) {
  try {
    const Safetensors file(bytes_of(text), "x.safetensors");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// What is said of a file with this header and `size` bytes of data.
std::string message_of_header(std::string_view json, std::size_t size) {
  return message_of(safetensors_header(json) + std::string(size, 'x'));
}

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("micius-shards-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST_CASE("A safetensors file's tensors are read", "[safetensors]") {
  const std::string text = small_file();
  const Safetensors file(bytes_of(text), "x.safetensors");
  REQUIRE(file.tensors().size() == 6);
  CHECK(file.size() == text.size());
  const MatrixView matrix = file.matrix("matrix");
  CHECK((matrix.rows == 2 && matrix.cols == 3 && matrix.dtype == DType::kF32));
  float last = 0;
  std::memcpy(&last, matrix.data + 20, 4);
  CHECK(last == 5);
  CHECK(file.matrix("scalar").rows * file.matrix("scalar").cols == 1);
  CHECK(file.matrix("half").rows == 1);
  CHECK(file.matrix("half").dtype == DType::kF16);
  CHECK(file.matrix("cube").rows == 4);
  CHECK(file.matrix("cube").dtype == DType::kBF16);
  CHECK(file.matrix("empty").rows == 0);
  CHECK(file.find("ids")->shape == std::vector<std::size_t>{1, 2});
  CHECK_FALSE(file.find("ids")->dtype);
  CHECK(file.find("none") == nullptr);
  CHECK_THROWS_WITH(file.matrix("ids"), Catch::Contains("tensor 'ids' has type I64"));
  CHECK_THROWS_WITH(file.matrix("none"), Catch::Contains("x.safetensors: tensor 'none' is missing"));
}

TEST_CASE("Metadata and blanks behind the header are read over", "[safetensors]") {
  CHECK(accepts(safetensors_header(R"({"__metadata__":{"format":"pt"}}   )")));
  CHECK(message_of_header(R"({"__metadata__":{"n":1}})", 0).find("'__metadata__'") != std::string::npos);
}

TEST_CASE("What is wrong with a safetensors file is said with its place", "[safetensors]") {
  CHECK_THAT(message_of("1234567"), Catch::Contains("x.safetensors: byte 0: expected the size"));
  std::string text = small_file();
  text[6] = 1;
  CHECK_THAT(message_of(text), Catch::Contains("byte 0: expected a header of at most"));
  CHECK_THAT(message_of_header(R"({"a":})", 0), Catch::Contains("byte 13: not valid JSON"));
  CHECK_THAT(message_of_header("[]", 0), Catch::Contains("byte 8: expected a JSON object"));
  CHECK_THAT(message_of_header(R"({"a":{"b":{"c":{"d":1}}}})", 0), Catch::Contains("nested deeper"));
  CHECK_THAT(message_of_header(R"({"t":1})", 0), Catch::Contains("tensor 't': expected an object"));

  struct Bad {
    const char *dtype, *shape, *offsets, *message;
  };
  for (const Bad& bad : {
           Bad{"7", "[1]", "[0,4]", "tensor 't', field 'dtype': expected a string"},
           Bad{"\"Q4\"", "[1]", "[0,4]", "tensor 't' has type 'Q4'"},
           Bad{"\"F32\"", "1", "[0,4]", "field 'shape': expected a list"},
           Bad{"\"F32\"", "[-1]", "[0,4]", "field 'shape': expected whole numbers"},
           Bad{"\"F32\"", "[1.0]", "[0,4]", "field 'shape': expected whole numbers"},
           Bad{"\"F32\"", "[99999999999999999999]", "[0,4]", "field 'shape': expected whole numbers"},
           Bad{"\"F32\"", "[1048576,1048576,1048576]", "[0,4]", "field 'shape': expected dimensions"},
           Bad{"\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]", "field 'shape': expected at most 8"},
           Bad{"\"F32\"", "[2]", "[0,4]", "field 'data_offsets': expected 8 bytes"},
           Bad{"\"F32\"", "[1]", "[4,0]", "field 'data_offsets': expected where"},
           Bad{"\"F32\"", "[1]", "[0]", "field 'data_offsets': expected where"},
           Bad{"\"F32\"", "[1]", "[4,8]", "field 'data_offsets': expected whole numbers from 0 to 4"},
           Bad{"\"F16\"", "[1]", "[2,4]", "field 'data_offsets': expected bytes from 0"},
           Bad{"\"F16\"", "[1]", "[0,2]", "expected the end of the file, not 2 more bytes"},
       }) {
    const std::string header = std::string(R"({"t":{"dtype":)") + bad.dtype + R"(,"shape":)" + bad.shape +
                               R"(,"data_offsets":)" + bad.offsets + "}}";
    CHECK_THAT(message_of_header(header, 4), Catch::Contains(bad.message));
  }
  const std::string entry = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  CHECK_THAT(message_of_header("{\"t\":" + entry + ",\"t\":" + entry + "}", 4),
             Catch::Contains("key 't' comes twice"));
  CHECK_THAT(message_of_header("{\"t\":" + entry + ",\"u\":" + entry + "}", 4),
             Catch::Contains("tensor 'u', field 'data_offsets': expected bytes from 4"));
  CHECK_THAT(message_of_header(R"({"t":{"dtype":"F32","shape":[1],"offsets":[0,4]}})", 4),
             Catch::Contains("tensor 't', field 'data_offsets'"));
  CHECK_THAT(message_of_header(R"({"t":{"dtype":"F32"}})", 4), Catch::Contains("alone"));
}

TEST_CASE("A model in several files is read by its index", "[safetensors]") {
  const Folder folder;
  write_file_atomic(folder / "model-1.safetensors", SafetensorsBuilder().floats("a", {1}, {1}).build());
  write_file_atomic(folder / "model-2.safetensors", SafetensorsBuilder().floats("b", {2}, {2, 3}).build());
  const auto index = [&](std::string_view map) {
    write_file_atomic(folder / "model.safetensors.index.json",
                      "{\"metadata\":{},\"weight_map\":" + std::string(map) + "}");
    return Safetensors(folder.path());
  };
  const Safetensors model = index(R"({"a":"model-1.safetensors","b":"model-2.safetensors"})");
  CHECK(model.tensors().size() == 2);
  CHECK(model.matrix("b").cols == 2);

  CHECK_THROWS_WITH(index(R"({"a":"model-1.safetensors","b":"model-1.safetensors"})"),
                    Catch::Contains("tensor 'b' is not in model-1.safetensors"));
  CHECK_THROWS_WITH(index(R"({"a":"model-2.safetensors"})"),
                    Catch::Contains("tensor 'b' is in model-2.safetensors, which the index does not say"));
  CHECK_THROWS_WITH(index(R"({"a":"../model-1.safetensors"})"),
                    Catch::Contains("field 'weight_map', tensor 'a': expected the name of a .safetensors"));
  CHECK_THROWS_WITH(index(R"({"a":7})"), Catch::Contains("field 'weight_map', tensor 'a'"));
  CHECK_THROWS_WITH(index("[]"), Catch::Contains("field 'weight_map': expected an object"));
  CHECK_THROWS_WITH(index(R"({"a":"model-9.safetensors"})"), Catch::Contains("model-9.safetensors"));
  write_file_atomic(folder / "model-2.safetensors", SafetensorsBuilder().floats("a", {1}, {1}).build());
  CHECK_THROWS_WITH(index(R"({"a":"model-1.safetensors","b":"model-2.safetensors"})"),
                    Catch::Contains("tensor 'a' is in another file"));
}

TEST_CASE("A folder without a model says what it lacks", "[safetensors]") {
  const Folder folder;
  CHECK_THROWS_WITH(Safetensors(folder.path()), Catch::Contains("neither model.safetensors nor"));
}

TEST_CASE("A damaged safetensors file is refused or read, never more", "[safetensors][fuzz]") {
  const std::string text = small_file();
  REQUIRE(accepts(text));
  for (std::size_t size = 0; size < text.size(); ++size) CHECK_FALSE(accepts(text.substr(0, size)));
  std::size_t refused = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char byte : {'\0', '\xff', '"', '9', '{', ']', '-', 'e'}) {
      std::string mutant = text;
      mutant[i] = byte;
      refused += accepts(mutant) ? 0 : 1;
    }
  }
  CHECK(refused > 500);
  Rng rng("safetensors mutations");
  for (int i = 0; i < 3000; ++i) {
    std::string mutant = text;
    for (std::size_t edits = 1 + rng.below(4); edits > 0; --edits) {
      const std::size_t at = rng.below(mutant.size());
      switch (rng.below(3)) {
        case 0:
          mutant[at] = static_cast<char>(rng.below(256));
          break;
        case 1:
          mutant.erase(at, 1 + rng.below(8));
          break;
        default:
          mutant.insert(at, text, rng.below(text.size()), 1 + rng.below(40));
      }
      if (mutant.empty()) mutant = text;
    }
    accepts(mutant);
  }
}

TEST_CASE("A header of many tensors is read in time by its size", "[safetensors]") {
  SafetensorsBuilder builder;
  for (int i = 0; i < 60000; ++i) builder.tensor("t" + std::to_string(i), "I8", "[1]", "x");
  CHECK(accepts(builder.build()));
}

}  // namespace
}  // namespace micius
