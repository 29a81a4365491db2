// DiffQKV checkpoints of every shape against their expected logits: unequal heads and widths, AugQ, half K.
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "engine/convert.h"
#include "engine/engine.h"
#include "engine/model/gguf_source.h"
#include "engine/model/source.h"
#include "engine/model/transformer.h"
#include "engine/op_fixture.h"
#include "engine/safetensors.h"
#include "engine/test_model.h"

namespace micius {
namespace {

template <typename T>
std::vector<T> values(const Safetensors& file, const std::string& name) {
  const SafetensorsTensor* tensor = file.find(name);
  REQUIRE(tensor != nullptr);
  std::vector<T> values(tensor->bytes.size() / sizeof(T));
  std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

// Logits of `rows` of one pass over `ids`, in chunks.
std::vector<float> logits_of(Transformer& model, KvPool& pool, std::span<const TokenId> ids,
                             std::span<const std::int32_t> rows, std::size_t chunk,
                             const OpContext& context) {
  KvSequence kv(pool);
  std::vector<float> logits;
  for (std::size_t first = 0; first < ids.size(); first += chunk) {
    const std::size_t count = std::min(chunk, ids.size() - first);
    std::vector<std::int32_t> wanted;
    for (const std::int32_t row : rows) {
      if (row >= static_cast<std::int32_t>(first) && row < static_cast<std::int32_t>(first + count)) {
        wanted.push_back(row - static_cast<std::int32_t>(first));
      }
    }
    const ForwardSlice slice{&kv, ids.subspan(first, count)};
    const std::span<const float> hidden = model.forward({&slice, 1}, wanted, context);
    const std::size_t before = logits.size(), width = model.head().outputs();
    logits.resize(before + wanted.size() * width);
    if (!wanted.empty()) model.head().apply(hidden, std::span(logits).subspan(before), context);
  }
  return logits;
}

std::string as_gguf(const ModelSource& source, std::optional<DType> dtype, ThreadPool& pool) {
  std::string bytes;
  write_gguf(source, dtype, pool, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

// The worst difference of the checkpoint's logits from those of `expected`, all files of texts together;
// chunks of a text give the same bits as the whole.
double worst_logit(const std::filesystem::path& folder, const Safetensors& expected) {
  const auto source = open_source(folder);
  const ModelConfig config = config_from(*source);
  const OpFixture fixture(best_isa());
  Transformer model(config, read_weights(*source, config, Numerics::kFp32, *fixture));
  KvPool pool(Transformer::kv_layout(config, Numerics::kFp32), config.layers, 64 << 20);
  double worst = 0;
  for (const char* n : {"1", "17", "200"}) {
    const auto ids = values<TokenId>(expected, "ids_" + std::string(n));
    std::vector<std::int32_t> rows(ids.size());
    std::iota(rows.begin(), rows.end(), 0);
    if (ids.size() == 200) rows = values<std::int32_t>(expected, "rows_200");
    const auto logits = values<float>(expected, "logits_" + std::string(n));
    const std::vector<float> ours = logits_of(model, pool, ids, rows, 512, *fixture);
    REQUIRE(ours.size() == logits.size());
    for (std::size_t i = 0; i < ours.size(); ++i)
      worst = std::max(worst, double{std::abs(ours[i] - logits[i])});
    CHECK(logits_of(model, pool, ids, rows, 7, *fixture) == ours);
  }
  return worst;
}

TEST_CASE("DiffQKV checkpoints give their expected logits", "[diffqkv]") {
  const auto root = shared_path("vectors/sigma");
  if (!root) return;
  std::size_t models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*root)) {
    if (!std::filesystem::exists(entry.path() / "config.json")) continue;
    const std::string name = entry.path().filename().string();
    INFO(name);
    const std::filesystem::path answers = name == "sharded_8_2_4" ? *root / "dkv_8_2_4" : entry.path();
    const double tolerance = name.find("_aug") != std::string::npos ? 2e-3 : 2e-4;
    CHECK(worst_logit(entry.path(), Safetensors(answers / "expected.safetensors")) < tolerance);
    ++models;
  }
  CHECK(models >= 16);
}

// Logits of `rows` with selective V from position `full` on.
std::vector<float> selected_logits(Transformer& model, KvPool& pool, std::span<const TokenId> ids,
                                   std::size_t full, std::span<const std::int32_t> rows,
                                   ValueSelection selection, const OpContext& context) {
  KvSequence kv(pool);
  if (full > 0) {
    const ForwardSlice prompt{&kv, ids.first(full)};
    model.forward({&prompt, 1}, {}, context);
  }
  std::vector<std::int32_t> wanted;
  for (const std::int32_t row : rows) wanted.push_back(row - static_cast<std::int32_t>(full));
  const ForwardSlice rest{&kv, ids.subspan(full), selection};
  std::vector<float> logits(rows.size() * model.head().outputs());
  model.head().apply(model.forward({&rest, 1}, wanted, context), logits, context);
  return logits;
}

TEST_CASE("Checkpoints with selective V give their expected logits", "[diffqkv]") {
  const auto root = shared_path("vectors/sigma");
  if (!root) return;
  struct Mode {
    const char* name;
    std::size_t full;
    std::vector<std::int32_t> rows;
  };
  const std::vector<Mode> modes = {{"every", 0, {16, 99, 199}}, {"decode", 120, {120, 159, 199}}};
  for (const char* name : {"dkv_8_2_4", "dkv_8_1_4_aug", "halfk_8_2_4", "bf16_d64_8_1_4"}) {
    const Safetensors expected(*root / name / "expected.safetensors");
    const auto source = open_source(*root / name);
    const ModelConfig config = config_from(*source);
    const OpFixture fixture(best_isa());
    Transformer model(config, read_weights(*source, config, Numerics::kFp32, *fixture));
    KvPool pool(Transformer::kv_layout(config, Numerics::kFp32), config.layers, 64 << 20);
    const auto ids = values<TokenId>(expected, "ids_200");
    for (const std::size_t top : {1, 4, 16, 100}) {
      for (const SelectedWeights weights : {SelectedWeights::kRenormalised, SelectedWeights::kRaw}) {
        for (const Mode& mode : modes) {
          const std::string key = fmt::format("selv_k{}_{}_{}", top,
                                              weights == SelectedWeights::kRaw ? "raw" : "renorm", mode.name);
          INFO(name << " " << key);
          const auto logits = values<float>(expected, key);
          const std::vector<float> ours =
              selected_logits(model, pool, ids, mode.full, mode.rows, {top, weights}, *fixture);
          REQUIRE(ours.size() == logits.size());
          double worst = 0;
          for (std::size_t i = 0; i < ours.size(); ++i)
            worst = std::max(worst, double{std::abs(ours[i] - logits[i])});
          CHECK(worst < (config.augmented_q > 0 ? 2e-2 : 2e-3));  // two scores nearer than the error may swap
        }
      }
    }
  }
}

TEST_CASE("A checkpoint without a tokenizer is asked with ids", "[diffqkv]") {
  const auto root = shared_path("vectors/sigma");
  if (!root) return;
  EngineOptions options;
  options.numerics = Numerics::kFp32;
  Engine engine(*root / "dkv_8_1_4_aug", options);
  const Safetensors expected(*root / "dkv_8_1_4_aug/expected.safetensors");
  GenerateJob job;
  job.prompt = values<TokenId>(expected, "ids_17");
  job.max_tokens = 32;
  engine.add(job);
  std::vector<TokenId> ids;
  while (!engine.idle()) {
    for (const JobResult& result : engine.step().finished) ids = result.ids;
  }
  CHECK(ids == values<TokenId>(expected, "greedy_ids"));
  CHECK(engine.sha256().size() == 64);
}

TEST_CASE("A checkpoint in a GGUF file gives the same bits", "[diffqkv][convert]") {
  const auto root = shared_path("vectors/sigma");
  if (!root) return;
  const std::vector<TokenId> ids = {1, 20, 33, 7, 240, 0, 99};
  const std::vector<std::int32_t> last = {6};
  const auto logits = [&](const ModelSource& source) {
    const ModelConfig config = config_from(source);
    const OpFixture fixture(best_isa());
    Transformer model(config, read_weights(source, config, Numerics::kPrecise, *fixture));
    KvPool pool(Transformer::kv_layout(config, Numerics::kPrecise), config.layers, 64 << 20);
    return logits_of(model, pool, ids, last, 512, *fixture);
  };
  for (const auto& entry : std::filesystem::directory_iterator(*root)) {
    if (!std::filesystem::exists(entry.path() / "config.json")) continue;
    INFO(entry.path().filename().string());
    const auto folder = open_source(entry.path());
    ThreadPool pool(2);
    const auto read = [](std::string_view bytes) {
      return GgufSource(GgufFile(std::as_bytes(std::span(bytes.data(), bytes.size())), "x.gguf"));
    };
    const std::string once = as_gguf(*folder, std::nullopt, pool);
    CHECK(logits(read(once)) == logits(*folder));
    const std::string twice = as_gguf(read(once), std::nullopt, pool);  // its keys are sorted
    const bool same = as_gguf(read(twice), std::nullopt, pool) == twice;
    CHECK(same);
  }
}

}  // namespace
}  // namespace micius
