#include "engine/encoder.h"

#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <span>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "engine/safetensors.h"
#include "engine/test_model.h"
#include "engine/tiny_encoder.h"
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

// The largest difference of an element of `rows`, our embeddings of the published texts `numbers`.
double worst_difference(const std::vector<float>& rows, std::span<const std::size_t> numbers,
                        const MatrixView& expected) {
  double worst = 0;
  std::vector<float> wanted(expected.cols);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t bytes = expected.cols * sizeof(float);
    std::memcpy(wanted.data(), expected.data + numbers[i] * bytes, bytes);
    for (std::size_t c = 0; c < expected.cols; ++c) {
      const double ours = static_cast<double>(rows[i * expected.cols + c]);
      worst = std::max(worst, std::abs(ours - static_cast<double>(wanted[c])));
    }
  }
  return worst;
}

TEST_CASE("Published embeddings are met in fp32: a few short ones of each kind", "[encoder]") {
  const auto folder = shared_path("vectors/embeddings");
  const auto model = test_encoder();
  if (!folder || !model) return;
  const std::vector<Text> texts = vector_texts(*folder);
  std::vector<std::string> some;
  std::vector<std::size_t> numbers;
  std::map<std::string, int> taken;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].ids.size() > 30 || ++taken[texts[i].kind] > 2) continue;
    some.push_back(texts[i].text);
    numbers.push_back(i);
  }
  REQUIRE(some.size() > 10);
  const Safetensors file(*folder / "embeddings.safetensors");
  CHECK(worst_difference(Encoder(*model, {}).embed(some), numbers, file.matrix("embeddings")) <= 1e-5);
}

TEST_CASE("All published embeddings are met in fp32", "[encoder][.slow]") {
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
  std::vector<std::size_t> numbers(texts.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  CHECK(worst_difference(rows, numbers, expected) <= 1e-5);

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
  CHECK(worst_cosine <= 1e-5);
}

TEST_CASE("A text's embedding is the same bytes in any batch, by any number of threads", "[encoder][.slow]") {
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

TEST_CASE("A small encoder gives the same bytes on every instruction set, in any batch", "[encoder]") {
  const TinyEncoder tiny;
  const std::vector<std::string> texts = {"a b c", "", "hello world 12 34 56 78", "z", "A", "\xff"};
  std::vector<float> first;
  for (const Isa isa : usable_isas()) {
    for (const EncoderOptions& options : {EncoderOptions{isa, 1, 1}, EncoderOptions{isa, 2, 512}}) {
      Encoder encoder(tiny.folder(), options);
      CHECK(encoder.info().max_tokens == 6);
      const std::vector<float> rows = encoder.embed(texts);
      REQUIRE(rows.size() == texts.size() * 32);
      if (first.empty()) first = rows;
      CHECK(rows == first);
      CHECK(encoder.embed({}).empty());
    }
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(cosine(&first[i * 32], &first[i * 32], 32) == Approx(1));
  }
  CHECK(cosine(&first[0], &first[32], 32) < 0.999);
}

TEST_CASE("Weights that give no numbers are said", "[encoder]") {
  const TinyEncoder tiny;
  std::string weights = read_file(tiny.folder() / "model.safetensors");
  weights.replace(weights.size() - 4, 4, "\xff\xff\xff\x7f");  // NaN
  tiny.write("model.safetensors", weights);
  Encoder encoder(tiny.folder(), {});
  CHECK_THROWS_WITH(encoder.embed(std::vector<std::string>{"a"}),
                    Catch::Contains("model.safetensors: the weights give"));
}

std::string message_of(const std::filesystem::path& folder) {
  try {
    Encoder(folder, {});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("What is wrong with an encoder's folder is said with file and field", "[encoder]") {
  struct Bad {
    const char *file, *from, *to, *message;
  };
  for (const Bad& bad : {
           Bad{"config.json", "\"bert\"", "\"roberta\"", "config.json: field 'model_type' is 'roberta'"},
           Bad{"config.json", "\"gelu\"", "\"relu\"", "config.json: field 'hidden_act' is 'relu'"},
           Bad{"config.json", "\"hidden_size\": 32", "\"hidden_size\": 0", "field 'hidden_size': expected"},
           Bad{"config.json", "\"hidden_size\": 32", "\"hidden_size\": 64",
               "tensor 'embeddings.word_embeddings.weight' is [67, 32], the model's numbers ask for [67, "
               "64]"},
           Bad{"config.json", "heads\": 2", "heads\": 5", "field 'num_attention_heads': expected a divisor"},
           Bad{"config.json", "1e-12", "-1", "field 'layer_norm_eps'"},
           Bad{"config.json", "layers\": 2", "layers\": 3",
               "'encoder.layer.2.attention.self.query.weight' is missing"},
           Bad{"config.json", "layers\": 2", "layers\": 16777216",
               "'encoder.layer.2.attention.self.query.weight'"},
           Bad{"config.json", "layers\": 2", "layers\": 1", "tensor 'encoder.layer.1."},
           Bad{"vocab.txt", "[MASK]", "[MASK]\nmore", "vocab.txt: 68 tokens, but 'vocab_size'"},
           Bad{"config.json", "embeddings\": 16", "embeddings\": 7", "expected 3 to 7"},
           Bad{"tokenizer_config.json", "true", "false", "field 'do_lower_case'"},
           Bad{"1_Pooling/config.json", "mean_tokens", "cls_token", "field 'pooling_mode_cls_token'"},
           Bad{"1_Pooling/config.json", "true", "false", "field 'pooling_mode_mean_tokens' must be true"},
           Bad{"sentence_bert_config.json", "8", "2", "expected 3 to 16"},
           Bad{"vocab.txt", "[SEP]", "[SEPP]", "vocab.txt: the token [SEP] is missing"},
           Bad{"model.safetensors", "F32", "F64", "model.safetensors: tensor"},
       }) {
    const TinyEncoder tiny;
    std::string text = read_file(tiny.folder() / bad.file);
    const std::size_t at = text.find(bad.from);
    REQUIRE(at != std::string::npos);
    tiny.write(bad.file, text.replace(at, std::string_view(bad.from).size(), bad.to));
    CHECK_THAT(message_of(tiny.folder()), Catch::Contains(bad.message));
  }
  const TinyEncoder tiny;
  for (const char* file : {"config.json", "vocab.txt", "model.safetensors"}) {
    std::filesystem::rename(tiny.folder() / file, tiny.folder() / "away");
    CHECK_THAT(message_of(tiny.folder()), Catch::Contains(file));
    std::filesystem::rename(tiny.folder() / "away", tiny.folder() / file);
  }
  CHECK(message_of(tiny.folder()).empty());
}

}  // namespace
}  // namespace micius
