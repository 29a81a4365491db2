// Ids of the published tokenizers, from the shared vectors.
#include "tokenizer/vectors.h"

#include <cstdlib>
#include <iostream>
#include <optional>
#include <set>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "engine/gguf_tokenizer.h"
#include "engine/tokenizer/tokenizer.h"

namespace micius {
namespace {

using Ids = std::vector<TokenId>;

Tokenizer load(const std::filesystem::path& file) { return Tokenizer(tokenizer_data_from(GgufFile(file))); }

std::filesystem::path default_model() {
  const char* folder = std::getenv("MICIUS_MODEL_DIR");
  const char* home = std::getenv("HOME");
  std::filesystem::path root;
  if (folder != nullptr) {
    root = folder;
  } else if (home != nullptr) {
    root = std::filesystem::path(home) / ".local/share/micius/models";
  }
  for (const char* place :
       {"smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"}) {
    if (std::filesystem::exists(root / place)) return root / place;
  }
  WARN("skipped: the default model is not installed (micius model fetch)");
  return {};
}

// Both modes give the expected ids, and decoding gives the text back (`decoded`: cut-off characters as
// U+FFFD).
void check_row(const Tokenizer& tokenizer, const std::string& text, const Ids& ids, const Ids& plain,
               const std::string& decoded) {
  INFO(Json(text).dump());
  CHECK(tokenizer.encode(text, SpecialText::kRecognised) == ids);
  CHECK(tokenizer.encode(text, SpecialText::kPlain) == plain);
  CHECK(to_valid_utf8(tokenizer.decode(ids, SpecialText::kRecognised)) == decoded);
}

}  // namespace

TEST_CASE("ids of the default model's tokenizer") {
  const auto rows = test::shared_vectors("engine/tokenizer.jsonl");
  const auto judged = test::shared_vectors("engine/tokenizer_disagreements.jsonl");
  const auto model = default_model();
  if (rows.empty() || judged.empty() || model.empty()) return;
  const Tokenizer tokenizer = load(model);
  int count = 0;
  test::for_each_row(rows, [&](const Json& row) {
    check_row(tokenizer, row.at("text"), row.at("ids"), row.at("ids_plain"),
              row.value("decoded", row.at("text")));
    ++count;
  });
  test::for_each_row(judged, [&](const Json& row) {
    INFO(row.at("text").dump());
    const Json& right = row.at("published");
    CHECK(tokenizer.encode(std::string(row.at("text")), SpecialText::kRecognised) ==
          right.at("ids").get<Ids>());
    CHECK(tokenizer.encode(std::string(row.at("text")), SpecialText::kPlain) ==
          right.at("ids_plain").get<Ids>());
    ++count;
  });
  CHECK(count == 504);
}

TEST_CASE("bytes of the default model's ids, and input that is not UTF-8") {
  const auto rows = test::shared_vectors("engine/tokenizer_bytes.jsonl");
  const auto model = default_model();
  if (rows.empty() || model.empty()) return;
  const Tokenizer tokenizer = load(model);
  test::for_each_row(rows, [&](const Json& row) {
    INFO(row.dump());
    const std::string bytes = test::from_hex(row.at("bytes_hex"));
    if (row.at("kind") == "decode") {
      CHECK(tokenizer.decode(row.at("ids").get<Ids>(), SpecialText::kRecognised) == bytes);
      CHECK(to_valid_utf8(tokenizer.decode(row.at("ids").get<Ids>(), SpecialText::kPlain)) ==
            row.at("text_skip_special"));
    } else {
      CHECK(tokenizer.encode(bytes, SpecialText::kPlain) == row.at("ids_of_replaced_text").get<Ids>());
    }
  });
}

// One row: ids in both modes, the text back, and the same as a stream.
void check_family_row(const Tokenizer& tokenizer, const Json& row, std::optional<SpecialText> decoded_as) {
  const std::string text = row.at("text");
  const Ids ids = row.at("ids"), plain = row.value("ids_plain", ids);
  INFO(row.at("text").dump());
  CHECK(tokenizer.encode(text, SpecialText::kRecognised) == ids);
  CHECK(tokenizer.encode(text, SpecialText::kPlain) == plain);
  std::string bytes, streamed;
  StreamDecoder stream(tokenizer, SpecialText::kRecognised);
  for (const TokenId id : ids) {
    bytes += tokenizer.bytes(id);
    streamed += stream.push(id);
  }
  CHECK(streamed + stream.finish() == to_valid_utf8(bytes));
  if (decoded_as) CHECK(to_valid_utf8(tokenizer.decode(ids, *decoded_as)) == row.value("decoded", text));
}

TEST_CASE("ids of published vocabularies") {
  // The rows of SentencePiece's models leave control tokens out of the text; WordPiece has no way back.
  const std::set<std::string> plain = {"phi-3",      "llama-spm",  "mistral-v1", "gemma-3",
                                       "gemma-like", "unigram-en", "unigram-ja"};
  for (const std::string family :
       {"gpt-2", "mpt", "cl100k", "llama-3", "qwen2", "deepseek-v3", "deepseek-llm", "deepseek-coder",
        "starcoder", "falcon", "phi-3", "llama-spm", "mistral-v1", "gemma-3", "gemma-like", "unigram-en",
        "unigram-ja", "bert-bge"}) {
    const auto vocabulary = test::shared_vectors("tokenizers/vocab/" + family + ".gguf");
    const auto rows = test::shared_vectors("tokenizers/" + family + ".jsonl");
    if (vocabulary.empty() || rows.empty()) continue;
    const Tokenizer tokenizer = load(vocabulary);
    INFO(family);
    std::optional<SpecialText> decoded_as = SpecialText::kRecognised;
    if (plain.count(family) != 0) decoded_as = SpecialText::kPlain;
    if (family == "bert-bge") decoded_as.reset();
    int count = 0;
    test::for_each_row(rows, [&](const Json& row) {
      check_family_row(tokenizer, row, decoded_as);
      ++count;
    });
    CHECK(count > 190);
    std::cout << family << ": " << count << " rows\n";
  }
}

TEST_CASE("tokens that no merge reaches are taken whole by some families") {
  const auto rows = test::shared_vectors("tokenizers/ignore-merges.jsonl");
  if (rows.empty()) return;
  test::for_each_row(rows, [&](const Json& row) {
    INFO(row.dump());
    const std::filesystem::path vocabulary = rows.parent_path() / row.at("vocab").get<std::string>();
    CHECK(load(vocabulary).encode(std::string(row.at("text")), SpecialText::kRecognised) ==
          row.at("ids").get<Ids>());
  });
}

}  // namespace micius
