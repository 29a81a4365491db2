// Tokenizers beside safetensors: tokenizer.json, tokenizer.model, tokenizer_config.json.
#include <cstring>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/rng.h"
#include "engine/gguf_tokenizer.h"
#include "engine/tokenizer/charsmap.h"
#include "engine/tokenizer/hf_tokenizer.h"
#include "engine/tokenizer/spm_file.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/tokenizer_folder.h"
#include "source_tree.h"
#include "tokenizer/vectors.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<TokenId>;

// A folder that is there as long as the object.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / fmt::format("micius-tokenizer-{}", ::getpid())) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Folder& write(const std::string& name, std::string_view bytes) {
    write_file_atomic(path_ / name, bytes);
    return *this;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Fields of a protocol buffer.
std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80U));
  out.push_back(static_cast<char>(value));
  return out;
}
std::string number(int field, std::uint64_t value) {
  return varint(std::uint64_t(field) << 3) + varint(value);
}
std::string bytes(int field, std::string_view value) {
  return varint((std::uint64_t(field) << 3) | 2) + varint(value.size()) + std::string(value);
}
std::string piece(std::string_view text, float score, int kind) {
  std::string real(4, '\0');
  std::memcpy(real.data(), &score, 4);
  return bytes(1, bytes(1, text) + varint((2 << 3) | 5) + real + number(3, static_cast<std::uint64_t>(kind)));
}

// Pieces of "the", "then", blanks; `type`: 1 unigram, 2 BPE.
std::string spm_model(int type, std::string_view normalizer) {
  std::string out = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("<tool>", 0, 4);
  const char* pieces[] = {"\u2581the", "then", "\u2581th", "en", "he", "\u2581t",
                          "\u2581",    "t",    "h",        "e",  "n"};
  float score = -1;
  for (const char* text : pieces) out += piece(text, score -= 1, 1);
  return out + bytes(2, number(3, static_cast<std::uint64_t>(type)) + number(41, 1) + number(42, 2)) +
         bytes(3, normalizer);
}

// A trie of one key: 'a' becomes "bc".
std::string one_key_charsmap() {
  std::vector<std::uint32_t> units(128);
  units[0] = 1U << 10;                    // children at 1 ^ byte
  units[0x60] = 'a' | 0x100U | 2U << 10;  // its value at 0x60 ^ 2
  units[0x62] = 0x80000000U;              // the replacement at 0
  std::string out(4 + units.size() * 4, '\0');
  const auto size = static_cast<std::uint32_t>(units.size() * 4);
  std::memcpy(out.data(), &size, 4);
  std::memcpy(out.data() + 4, units.data(), size);
  return out + std::string("bc\0", 3);
}

std::vector<std::string> pieces_of(const Tokenizer& tokenizer, std::string_view text, SpecialText special) {
  std::vector<std::string> pieces;
  for (const TokenId id : tokenizer.encode(text, special)) pieces.emplace_back(tokenizer.bytes(id));
  return pieces;
}

// Builds what it can of damaged bytes; anything but an Error fails the test.
template <typename Read>
std::size_t mutate(const std::string& name, const std::string& good, int rounds, const Read& read) {
  Rng rng(name);
  std::size_t refused = 0;
  for (int i = 0; i < rounds; ++i) {
    std::string bad = good;
    for (std::size_t n = 1 + rng.below(4); n > 0; --n) {
      const std::size_t at = rng.below(bad.size());
      switch (rng.below(4)) {
        case 0:
          bad[at] = static_cast<char>(rng.below(256));
          break;
        case 1:
          bad.erase(at, 1 + rng.below(20));
          break;
        case 2:
          bad.insert(at, good.substr(rng.below(good.size()), 1 + rng.below(20)));
          break;
        default:
          bad[at] = "0123456789\"[]{},:-"[rng.below(18)];
      }
      if (bad.empty()) bad = " ";
    }
    try {
      const Tokenizer tokenizer(read(bad));
      const Ids ids = tokenizer.encode("the then <tool> \xE4\xBD\xA0 12", SpecialText::kRecognised);
      tokenizer.decode(ids, SpecialText::kPlain);
    } catch (const Error&) {
      ++refused;
    }
  }
  return refused;
}

}  // namespace

TEST_CASE("ids of tokenizer.json as Hugging Face's library gives them", "[folder]") {
  test::for_each_row(source_tree() / "tests/tokenizer/hf.jsonl", [](const Json& row) {
    INFO(row.at("name"));
    const Tokenizer tokenizer(read_hf_tokenizer(row.at("tokenizer").dump(), "tokenizer.json"));
    for (const Json& text : row.at("rows")) {
      INFO(text.dump());
      const Ids ids = tokenizer.encode(text.at("text").get<std::string>(), SpecialText::kRecognised);
      CHECK(ids == text.at("ids").get<Ids>());
    }
  });
}

TEST_CASE("a tokenizer in a GGUF file gives the same ids", "[folder][gguf]") {
  std::size_t kept = 0;
  test::for_each_row(source_tree() / "tests/tokenizer/hf.jsonl", [&](const Json& row) {
    INFO(row.at("name"));
    const TokenizerData data = read_hf_tokenizer(row.at("tokenizer").dump(), "tokenizer.json");
    if (data.model == "bert") {
      GgufWriter writer;
      CHECK_THROWS_WITH(write_tokenizer(data, writer), Catch::Contains("WordPiece"));
      return;
    }
    if (data.steps && !pre_tokenizer_name(*data.steps)) {
      GgufWriter writer;
      CHECK_THROWS_WITH(write_tokenizer(data, writer), Catch::Contains("has no name in GGUF"));
      return;
    }
    GgufWriter writer;
    write_tokenizer(data, writer);
    std::string bytes;
    writer.write([&](std::string_view piece) { bytes += piece; });
    const GgufFile file(std::as_bytes(std::span(bytes.data(), bytes.size())), "x.gguf");
    const Tokenizer tokenizer(tokenizer_data_from(file));
    for (const Json& text : row.at("rows")) {
      INFO(text.dump());
      CHECK(tokenizer.encode(text.at("text").get<std::string>(), SpecialText::kRecognised) ==
            text.at("ids").get<Ids>());
    }
    ++kept;
  });
  CHECK(kept >= 4);
}

TEST_CASE("without a tokenizer there are ids only", "[folder]") {
  TokenizerData data;
  data.model = kNoTokenizer;
  const Tokenizer none(data);
  CHECK(none.size() == 0);
  CHECK_THROWS_WITH(none.encode("a", SpecialText::kPlain), Catch::Contains("the model has no tokenizer"));
  CHECK(none.encode("", SpecialText::kPlain).empty());
  CHECK(none.decode(Ids{5, 270}, SpecialText::kRecognised).empty());
}

TEST_CASE("tokenizer.model with the settings beside it", "[folder]") {
  using Pieces = std::vector<std::string>;
  Folder folder;
  folder.write("tokenizer.model", spm_model(2, number(3, 1) + number(4, 0)));
  const Tokenizer bpe(read_tokenizer(folder.path()));
  CHECK(bpe.add_bos());
  CHECK(bpe.bos() == 1);
  CHECK(pieces_of(bpe, "the then</s>", SpecialText::kRecognised) == Pieces{" the", " th", "en", "</s>"});
  CHECK(pieces_of(bpe, "then", SpecialText::kPlain) == Pieces{" th", "en"});
  CHECK(bpe.encode("then x", SpecialText::kPlain) == Ids{6, 7, 10, 0});
  CHECK(bpe.decode(Ids{4, 14, 0, 1}, SpecialText::kPlain) == "then \u2047 ");

  folder.write("tokenizer.model", spm_model(1, number(3, 1)));
  const Tokenizer unigram(read_tokenizer(folder.path()));
  CHECK(pieces_of(unigram, "  then   the ", SpecialText::kPlain) == Pieces{" th", "en", " the"});
  CHECK(unigram.decode(unigram.encode(" then  the ", SpecialText::kPlain), SpecialText::kPlain) ==
        "then the");

  folder.write("tokenizer_config.json", R"({"add_bos_token": false, "add_eos_token": true, "legacy": false,
    "eos_token": {"content": "<tool>"}, "bos_token": "<s>",
    "added_tokens_decoder": {"15": {"content": "<|end|>", "special": true, "rstrip": true}},
    "chat_template": [{"name": "tools", "template": "a"}, {"name": "default", "template": "b"}]})");
  folder.write("tokenizer.model", spm_model(2, number(3, 1) + number(4, 0)));
  const Tokenizer added(read_tokenizer(folder.path()));
  CHECK_FALSE(added.add_bos());
  CHECK(added.add_eos());
  CHECK(added.eos() == 3);
  CHECK(added.encode("<|end|>  the<|end|>", SpecialText::kRecognised) == Ids{15, 11, 8, 15});
  CHECK(read_chat_template(folder.path()) == "b");
  folder.write("chat_template.jinja", "c");
  CHECK(read_chat_template(folder.path()) == "c");
}

TEST_CASE("long texts take little time in SentencePiece's models too", "[folder]") {
  constexpr std::size_t kSize = 1 << 18;
  for (const int type : {1, 2}) {
    const Tokenizer tokenizer(read_spm_file(spm_model(type, number(3, 1) + number(4, 0)), "tokenizer.model"));
    // One blank stands in front.
    CHECK(tokenizer.encode(std::string(kSize, 'e'), SpecialText::kPlain).size() == kSize + 1);
    CHECK(tokenizer.encode(std::string(kSize, ' '), SpecialText::kPlain).size() == kSize + 1);
    CHECK(tokenizer.encode(std::string(kSize, 'x'), SpecialText::kPlain).size() == 2);
    std::string words;
    while (words.size() < kSize) words += "th";
    CHECK(tokenizer.encode(words, SpecialText::kPlain).size() > kSize / 4);
  }
}

TEST_CASE("characters are mapped before a unigram model cuts", "[folder]") {
  const Charsmap map(one_key_charsmap());
  const auto match = map.match("ax");
  REQUIRE(match);
  CHECK(match->size == 1);
  CHECK(match->replacement == "bc");
  CHECK_FALSE(map.match("xa"));
  CHECK_THROWS_WITH(Charsmap(std::string("\x08\0\0\0ab", 6)), Catch::Contains("6 bytes"));
  CHECK_THROWS_WITH(Charsmap("ab"), Catch::Contains("2 bytes"));
}

TEST_CASE("what is not covered or damaged is named", "[folder]") {
  const auto message = [](const std::string& text) -> std::string {
    try {
      const Tokenizer tokenizer(read_hf_tokenizer(text, "t.json"));
      return "none";
    } catch (const Error& error) {
      return error.what();
    }
  };
  const auto bpe = [](const std::string& rest, const std::string& vocabulary = R"({"a": 0})") {
    return R"({"model": {"type": "BPE", "vocab": )" + vocabulary + R"(, "merges": []}, )" + rest + "}";
  };
  const std::string bytes_step = R"("pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false})";
  CHECK(message(bpe(bytes_step)) == "none");
  CHECK_THAT(message("{"), Catch::Contains("t.json: not valid JSON"));
  CHECK_THAT(message("{}"), Catch::Contains("t.json: the field 'model' is missing"));
  CHECK_THAT(message(R"({"model": {"type": "WordLevel"}})"),
             Catch::Contains("t.json.model.type") && Catch::Contains("\"WordLevel\""));
  CHECK_THAT(message(bpe(R"("normalizer": {"type": "Lowercase"})")),
             Catch::Contains("t.json.normalizer") && Catch::Contains("Lowercase"));
  CHECK_THAT(message(bpe(R"("pre_tokenizer": {"type": "Split", "pattern": {"Regex": "x+"},
                            "behavior": "Isolated", "invert": false})")),
             Catch::Contains("t.json.pre_tokenizer.pattern") && Catch::Contains("x+"));
  CHECK_THAT(message(bpe(bytes_step, R"({"a": -1})")), Catch::Contains("t.json.model.vocab"));
  CHECK_THAT(message(bpe(bytes_step, R"({"a": 16000000})")), Catch::Contains("ids below"));
  CHECK_THAT(message(bpe(bytes_step, R"({"a": 0, "b": 0})")), Catch::Contains("id 0 stands there twice"));
  CHECK_THAT(message(std::string(1000, '[')), Catch::Contains("deeper than 64"));

  Folder folder;
  CHECK_THROWS_WITH(read_tokenizer(folder.path()),
                    Catch::Contains("neither tokenizer.json nor tokenizer.model"));
  folder.write("tokenizer.model", spm_model(3, ""));
  CHECK_THROWS_WITH(read_tokenizer(folder.path()), Catch::Contains("trainer_spec.model_type 3"));
  folder.write("tokenizer.model", spm_model(2, "").substr(0, 50));
  CHECK_THROWS_WITH(read_tokenizer(folder.path()), Catch::Contains("tokenizer.model: byte "));
}

TEST_CASE("damaged tokenizer files are read or refused", "[folder]") {
  std::size_t refused = 0;
  test::for_each_row(source_tree() / "tests/tokenizer/hf.jsonl", [&](const Json& row) {
    refused += mutate(row.at("name"), row.at("tokenizer").dump(), 150,
                      [](const std::string& text) { return read_hf_tokenizer(text, "tokenizer.json"); });
  });
  for (const int type : {1, 2}) {
    refused += mutate("spm", spm_model(type, number(3, 1) + bytes(2, one_key_charsmap())), 2000,
                      [](const std::string& text) { return read_spm_file(text, "tokenizer.model"); });
  }
  CHECK(refused > 500);
}

}  // namespace micius
