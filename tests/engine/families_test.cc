// The families beside Llama, with weights made up here, against the logits that Hugging Face's transformers
// gives for them in fp64.
#include <cmath>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "engine/convert.h"
#include "engine/family_models.h"
#include "engine/model/gguf_source.h"
#include "engine/model/source.h"
#include "engine/model/transformer.h"
#include "engine/op_fixture.h"
#include "source_tree.h"
#include "temp_dir.h"

namespace micius {
namespace {

// [ids, vocabulary]
std::vector<float> logits_of(const ModelSource& source, const std::vector<TokenId>& ids, Isa isa) {
  const ModelConfig config = config_from(source);
  const OpFixture fixture(isa);
  Transformer model(config, read_weights(source, config, Numerics::kFp32, *fixture));
  KvPool pool(Transformer::kv_layout(config, Numerics::kFp32), config.layers, 16 << 20);
  KvSequence kv(pool);
  std::vector<std::int32_t> wanted;
  for (std::size_t i = 0; i < ids.size(); ++i) wanted.push_back(static_cast<std::int32_t>(i));
  const ForwardSlice slice{&kv, ids};
  std::vector<float> logits(ids.size() * config.vocabulary);
  model.head().apply(model.forward({&slice, 1}, wanted, *fixture), logits, *fixture);
  return logits;
}

TEST_CASE("Families give the logits of transformers, from a folder and from GGUF", "[families]") {
  const std::string file = read_file(source_tree() / "tests/engine/families.jsonl");
  std::size_t families = 0;
  for_each_line(file, [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, "families.jsonl:" + std::to_string(number));
    INFO(row["name"]);
    const TempDir folder;
    write_family(folder.path(), row);
    const auto source = open_source(folder.path());
    const auto ids = row["ids"].get<std::vector<TokenId>>();
    const std::vector<float> logits = logits_of(*source, ids, best_isa());
    double worst = 0;
    for (const auto& [position, expected] : row["rows"].items()) {
      const std::size_t first = std::stoul(position) * expected.size();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        worst = std::max(worst, std::abs(double{logits[first + i]} - expected[i].get<double>()));
      }
    }
    CHECK(worst < 1e-4);

    std::string gguf;
    ThreadPool pool(1);
    write_gguf(*source, std::nullopt, pool, [&](std::string_view piece) { gguf += piece; });
    const GgufSource again(GgufFile(std::as_bytes(std::span(gguf.data(), gguf.size())), "x.gguf"));
    CHECK(logits_of(again, ids, best_isa()) == logits);
    CHECK(logits_of(*source, ids, Isa::kPlain) == logits);
    ++families;
  });
  CHECK(families == 8);
}

}  // namespace
}  // namespace micius
