#include "engine/gguf.h"

#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/rng.h"
#include "engine/gguf_builder.h"
#include "engine/test_model.h"

namespace micius {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string small_file() {
  GgufBuilder builder;
  builder.string("general.architecture", "llama").integer("llama.block_count", 2);
  builder.number("llama.rope.freq_base", 1e5F).boolean("tokenizer.ggml.add_bos_token", 1);
  builder.strings("tokenizer.ggml.tokens", {"a", "", "bc"}).integers("tokenizer.ggml.token_type", {1, 3, 1});
  const std::string eight_floats(32, '\x01');
  builder.tensor("token_embd.weight", DType::kF32, {4, 2}, eight_floats);
  builder.tensor("norm.weight", DType::kQ8_0, {32}, std::string(34, '\x02'));
  return builder.build();
}

// Reads everything there is to read.
void read_all(const GgufFile& file) {
  for (const char* key :
       {"general.architecture", "llama.block_count", "llama.rope.freq_base", "tokenizer.ggml.add_bos_token",
        "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"}) {
    const std::vector<std::function<void()>> readers = {
        [&] { (void)file.integer_if(key); }, [&] { (void)file.number_if(key); },
        [&] { (void)file.string_if(key); },  [&] { (void)file.boolean_if(key); },
        [&] { (void)file.strings(key); },    [&] { (void)file.integers(key); }};
    for (const auto& read : readers) {
      try {
        read();
      } catch (const Error&) {
      }
    }
  }
  unsigned sum = 0;
  for (const GgufTensor& tensor : file.tensors()) {
    for (const std::byte byte : tensor.bytes) sum += std::to_integer<unsigned>(byte);
  }
  CHECK(sum < 1u << 31);
}

// Opens a copy that ends where the memory ends, so that the address sanitizer sees a read behind it. Returns
// whether it was accepted; anything but an Error escapes and fails the test.
bool accepts(std::string_view text) {
  const auto copy = std::make_unique<std::byte[]>(text.size());
  std::memcpy(copy.get(), text.data(), text.size());
  try {
    const GgufFile file({copy.get(), text.size()}, "mutant.gguf");
    read_all(file);
    return true;
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("mutant.gguf: ") == 0);
    return false;
  }
}

std::string message_of(const std::string& text) {
  try {
    const GgufFile file(bytes_of(text), "x.gguf");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("A GGUF file's values and tensors are read", "[gguf]") {
  const std::string text = small_file();
  const GgufFile file(bytes_of(text), "x.gguf");
  CHECK(file.string("general.architecture") == "llama");
  CHECK(file.integer("llama.block_count") == 2);
  CHECK(file.number("llama.rope.freq_base") == 1e5);
  CHECK(file.number("llama.block_count") == 2);
  CHECK(file.boolean_if("tokenizer.ggml.add_bos_token") == true);
  CHECK(file.strings("tokenizer.ggml.tokens") == std::vector<std::string>{"a", "", "bc"});
  CHECK(file.integers("tokenizer.ggml.token_type") == std::vector<std::uint64_t>{1, 3, 1});
  CHECK_FALSE(file.integer_if("llama.context_length"));
  REQUIRE(file.tensors().size() == 2);
  const MatrixView embedding = file.matrix("token_embd.weight");
  CHECK(embedding.rows == 2);
  CHECK(embedding.cols == 4);
  CHECK(embedding.data[0] == std::byte{1});
  CHECK(file.find_tensor("norm.weight")->bytes.size() == 34);
  CHECK(file.find_tensor("output.weight") == nullptr);
}

TEST_CASE("A key of another kind is named", "[gguf]") {
  const std::string text = small_file();
  const GgufFile file(bytes_of(text), "x.gguf");
  CHECK_THROWS_WITH(file.integer("general.architecture"),
                    "x.gguf: key 'general.architecture': expected a whole number that is not negative");
  CHECK_THROWS_WITH(file.string("llama.block_count"), "x.gguf: key 'llama.block_count': expected a string");
  CHECK_THROWS_WITH(file.strings("none"), Catch::Contains("x.gguf: key 'none' is missing"));
  CHECK_THROWS_WITH(file.matrix("none"), Catch::Contains("x.gguf: tensor 'none' is missing"));
}

TEST_CASE("What is wrong with a GGUF file is said with its place", "[gguf]") {
  CHECK_THAT(message_of("GGML" + std::string(60, '\0')),
             Catch::Contains("x.gguf: byte 0: expected the magic"));
  std::string text = small_file();
  text[4] = 1;
  CHECK_THAT(message_of(text), Catch::Contains("byte 4: expected version 2 or 3"));
  text = small_file();
  CHECK_THAT(message_of(text.substr(0, text.size() - 32)),
             Catch::Contains("tensor 'norm.weight' inside the file"));

  GgufBuilder twice;
  twice.integer("a.b", 1).integer("a.b", 2);
  CHECK_THAT(message_of(twice.build()), Catch::Contains("key 'a.b' only once"));
  GgufBuilder same_tensor;
  same_tensor.tensor("t", DType::kF32, {1}, "1234").tensor("t", DType::kF32, {1}, "1234");
  CHECK_THAT(message_of(same_tensor.build()), Catch::Contains("tensor 't' only once"));
  GgufBuilder overflow;
  overflow.tensor("t", DType::kF32, {std::uint64_t{1} << 33, std::uint64_t{1} << 33}, "");
  CHECK_THAT(message_of(overflow.build()), Catch::Contains("dimensions of tensor 't'"));
  GgufBuilder empty;
  empty.tensor("t", DType::kF32, {4, 0}, "");
  CHECK_THAT(message_of(empty.build()), Catch::Contains("dimensions of tensor 't'"));
  GgufBuilder blocks;
  blocks.tensor("t", DType::kQ4_1, {33}, std::string(40, 'x'));
  CHECK_THAT(message_of(blocks.build()), Catch::Contains("rows of tensor 't' in blocks of 32, not 33"));
  GgufBuilder alignment;
  alignment.integer("general.alignment", 48);
  CHECK_THAT(message_of(alignment.build()), Catch::Contains("expected a power of two"));
}

TEST_CASE("A damaged GGUF file is refused or read, never more", "[gguf][fuzz]") {
  const std::string text = small_file();
  REQUIRE(accepts(text));
  for (std::size_t size = 0; size < text.size() - 30; ++size) CHECK_FALSE(accepts(text.substr(0, size)));
  std::size_t refused = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string mutant = text;
      mutant[i] = static_cast<char>(mutant[i] ^ flip);
      refused += accepts(mutant) ? 0 : 1;
    }
    for (const std::uint64_t number : {~std::uint64_t{0}, std::uint64_t{1} << 62, std::uint64_t{1} << 31}) {
      if (i + 8 > text.size()) continue;
      std::string mutant = text;
      std::memcpy(mutant.data() + i, &number, 8);
      refused += accepts(mutant) ? 0 : 1;
    }
  }
  CHECK(refused > 1000);
}

TEST_CASE("Damaged heads of real vocabularies are refused or read", "[gguf][fuzz]") {
  const auto folder = shared_path("vectors/tokenizers/vocab");
  if (!folder) return;
  Rng rng("gguf mutations");
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    if (entry.path().extension() != ".gguf") continue;
    const std::string text = read_file(entry.path()).substr(0, 4096);
    for (int i = 0; i < 300; ++i) {
      std::string mutant = text.substr(0, 1 + rng.below(text.size()));
      for (std::size_t flips = rng.below(4); flips > 0; --flips) {
        mutant[rng.below(mutant.size())] = static_cast<char>(rng.below(256));
      }
      accepts(mutant);
      ++cases;
    }
  }
  CHECK(cases >= 300);
}

}  // namespace
}  // namespace micius
