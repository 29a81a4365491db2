#include "engine/encoder.h"

#include <cmath>
#include <cstring>
#include <map>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "engine/safetensors.h"
#include "engine/test_model.h"
#include "engine/tokenizer/wordpiece.h"

namespace micius {
namespace {

struct Text {
  std::string text, kind;
  std::vector<TokenId> ids;
};

std::vector<Text> vector_texts(const std::filesystem::path& folder) {
  std::vector<Text> texts;
  for_each_line(read_file(folder / "texts.jsonl"), [&](std::string_view line, std::size_t number) {
    const Json json = parse_json(line, "texts.jsonl:" + std::to_string(number));
    texts.push_back({json.at("text"), json.at("kind"), json.at("ids")});
  });
  return texts;
}

std::vector<std::string> plain_texts(const std::vector<Text>& texts) {
  std::vector<std::string> plain;
  for (const Text& text : texts) plain.push_back(text.text);
  return plain;
}

double cosine(const float* a, const float* b, std::size_t dim) {
  double sum = 0;
  for (std::size_t i = 0; i < dim; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

TEST_CASE("All published embeddings are met, in fp32", "[encoder]") {
  const auto folder = shared_path("vectors/embeddings");
  const auto model = test_encoder();
  if (!folder || !model) return;
  const std::vector<Text> texts = vector_texts(*folder);
  REQUIRE(texts.size() == 251);
  const Safetensors file(*folder / "embeddings.safetensors");
  const MatrixView expected = file.matrix("embeddings");
  REQUIRE(expected.rows == texts.size());

  Encoder encoder(*model, {});
  REQUIRE(encoder.info().dim == expected.cols);
  const std::vector<float> rows = encoder.embed(plain_texts(texts));
  std::vector<float> wanted(rows.size());
  std::memcpy(wanted.data(), expected.data, wanted.size() * sizeof(float));
  double worst = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(rows[i]) - static_cast<double>(wanted[i])));
  }
  INFO("largest difference " << worst);
  CHECK(worst <= 1e-5);

  double worst_cosine = 0;
  std::size_t pairs = 0;
  for_each_line(read_file(*folder / "pairs.jsonl"), [&](std::string_view line, std::size_t) {
    const Json pair = parse_json(line, "pairs.jsonl");
    const auto a = pair.at("a").get<std::size_t>(), b = pair.at("b").get<std::size_t>();
    const double ours = cosine(&rows[a * expected.cols], &rows[b * expected.cols], expected.cols);
    worst_cosine = std::max(worst_cosine, std::abs(ours - pair.at("cosine").get<double>()));
    ++pairs;
  });
  CHECK(pairs == 198);
  INFO("largest difference of a cosine " << worst_cosine);
  CHECK(worst_cosine <= 1e-5);
}

TEST_CASE("A text's embedding is the same bytes in any batch, by any number of threads", "[encoder]") {
  const auto folder = shared_path("vectors/embeddings");
  const auto model = test_encoder();
  if (!folder || !model) return;
  std::vector<std::string> texts;
  std::map<std::string, int> taken;
  for (const Text& text : vector_texts(*folder)) {
    if (++taken[text.kind] <= 3) texts.push_back(text.text);
  }
  const std::vector<float> expected = Encoder(*model, {}).embed(texts);
  for (const EncoderOptions& options :
       {EncoderOptions{std::nullopt, 1, 1}, EncoderOptions{std::nullopt, 3, 4096}}) {
    CHECK(Encoder(*model, options).embed(texts) == expected);
  }
}

TEST_CASE("All published WordPiece ids are met", "[encoder]") {
  const auto folder = shared_path("vectors/embeddings");
  const auto model = test_encoder();
  if (!folder || !model) return;
  const WordPiece tokenizer(read_file(*model / "vocab.txt"), "vocab.txt");
  for (const Text& text : vector_texts(*folder)) {
    std::vector<TokenId> ids = tokenizer.encode(text.text, 254);
    ids.insert(ids.begin(), tokenizer.cls());
    ids.push_back(tokenizer.sep());
    INFO(text.text);
    CHECK(ids == text.ids);
  }
}

}  // namespace
}  // namespace micius
