// Whole encoders on the emulated GPU, beside the CPU.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "engine/encoder.h"
#include "engine/gpu.h"
#include "engine/model/cpu_bert.h"
#include "engine/model/gpu_bert.h"
#include "engine/op_fixture.h"
#include "engine/reference_ops.h"
#include "engine/test_model.h"
#include "engine/tiny_encoder.h"
#include "gpu/both_decoders.h"
#include "gpu/emulated_gpu.h"
#include "gpu/row_cases.h"

namespace micius {
namespace {

using Catch::Matchers::Contains;
using emulation::EmulatedGpu;

// Of the largest element of the CPU's vectors: 16 bits of weights and inputs, 11 of keys and values.
constexpr double kTolerance = 5e-4;

EncoderOptions with_batches_of(std::size_t tokens) {
  EncoderOptions options;
  options.threads = 1;
  options.batch_tokens = tokens;
  return options;
}

using Sequences = std::vector<std::vector<TokenId>>;

Sequences sequences_of(const std::vector<std::size_t>& lengths) {
  Rng rng("gpu encoder test");
  Sequences sequences;
  for (const std::size_t length : lengths) {
    std::vector<TokenId> ids(length);
    for (TokenId& id : ids) id = static_cast<TokenId>(rng.below(67));
    sequences.push_back(std::move(ids));
  }
  return sequences;
}

// An encoder of this shape on the CPU and on a GPU.
class BothBerts {
 public:
  BothBerts(const TinyEncoderShape& shape, std::size_t most_tokens, Device& device)
      : encoder_(shape),
        config_(bert_config_from(encoder_.folder())),
        file_(encoder_.folder()),
        cpu_(config_, read_bert_weights(file_, config_, *fixture_), *fixture_),
        gpu_(file_, config_, most_tokens, device, (*fixture_).pool) {}

  std::vector<float> on_cpu(const Sequences& sequences) { return rows_of(cpu_, sequences); }
  std::vector<float> on_gpu(const Sequences& sequences) { return rows_of(gpu_, sequences); }

 private:
  std::vector<float> rows_of(Bert& bert, const Sequences& sequences) const {
    std::vector<float> rows(sequences.size() * config_.hidden, NAN);
    bert.embed(sequences, rows);
    return rows;
  }

  OpFixture fixture_{best_isa()};
  TinyEncoder encoder_;
  BertConfig config_;
  Safetensors file_;
  CpuBert cpu_;
  GpuBert gpu_;
};

TEST_CASE("encoders have the CPU's vectors on a GPU: any widths and heads, one token and full pages") {
  const Sequences sequences = sequences_of({1, 2, 60, 5});
  for (const TinyEncoderShape& shape : {TinyEncoderShape{32, 2, 48, 80}, TinyEncoderShape{36, 3, 52, 80},
                                        TinyEncoderShape{40, 5, 20, 80}, TinyEncoderShape{96, 1, 132, 80}}) {
    INFO(shape.hidden);
    for (const auto& device : all_devices()) {
      BothBerts both(shape, 140, *device);
      const std::vector<float> cpu = both.on_cpu(sequences);
      CHECK(worst_part(both.on_gpu(sequences), cpu) < kTolerance);
      if (const auto* emulated = dynamic_cast<EmulatedGpu*>(device.get()))
        CHECK(emulated->launches_of<DenseLaunch>() > 0);  // of 68 rows
      CHECK(worst_part(both.on_gpu({sequences[0]}), both.on_cpu({sequences[0]})) < kTolerance);
    }
  }
}

TEST_CASE("a text of 512 tokens has the CPU's vector on a GPU", "[.slow]") {
  const Sequences sequences = sequences_of({512});
  for (const auto& device : all_devices()) {
    BothBerts both({32, 2, 48, 512}, 512, *device);
    CHECK(worst_part(both.on_gpu(sequences), both.on_cpu(sequences)) < kTolerance);
  }
}

TEST_CASE("a sequence's vector on a GPU moves with those beside it by rounding alone") {
  const Sequences sequences = sequences_of({3, 66, 1, 12});
  for (const auto& device : all_devices()) {
    BothBerts both({36, 3, 52, 80}, 100, *device);
    const std::vector<float> together = both.on_gpu(sequences);
    std::vector<float> alone;
    for (const std::vector<TokenId>& sequence : sequences) {
      const std::vector<float> row = both.on_gpu({sequence});
      alone.insert(alone.end(), row.begin(), row.end());
    }
    CHECK(worst_part(together, alone) < kTolerance);
    CHECK(both.on_gpu(sequences) == together);
  }
}

TEST_CASE("matrices of a GPU keep 16 bits of floats, and all of bf16") {
  const std::vector<float> x = random_floats(2 * 100, "x");
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    const RandomMatrix matrix(dtype, 40, 100, "matrix");
    const LinearPart part = matrix;
    const std::vector<double> expected = reference::linear({&part, 1}, x);
    for (const auto& gpu : all_devices()) {
      ThreadPool pool(1);
      const GpuSplitMatrix split({&part, 1}, *gpu, pool);
      const DeviceArray<float> values(*gpu, x), y(*gpu, expected.size());
      DeviceRows room;
      const BlockedRows rows = room.resize(*gpu, 2, 100, 2);
      gpu->launch(SplitKernel{values.data(), rows});
      gpu->launch(LinearArgs{.weights = split.high(), .x = rows, .y = y.data()});
      CHECK((split.low() == nullptr) == (dtype == DType::kBF16));
      if (split.low() != nullptr) {
        gpu->launch(
            LinearArgs{.weights = *split.low(), .x = rows, .result = LinearResult::kAdd, .y = y.data()});
      }
      check_near(fetched(y), expected, 2e-6);
    }
  }
}

TEST_CASE("what an encoder needs of a GPU is known before it is read, and taken at once") {
  const TinyEncoder tiny;
  const GpuBertNeeds needs = gpu_bert_needs(bert_config_from(tiny.folder()), 100);
  const auto opened = [&](std::size_t memory, std::size_t batch_tokens) {
    return Encoder(tiny.folder(), with_batches_of(batch_tokens), std::make_unique<EmulatedGpu>(memory))
        .info();
  };
  CHECK(opened(needs.weights + needs.batch, 100).gpu == "emulated GPU");
  CHECK_THROWS_WITH(opened(needs.weights + needs.batch - 1, 100),
                    Contains("model.safetensors") && Contains("a batch of 100 tokens") &&
                        Contains("of emulated GPU there are") &&
                        Contains("use a smaller --batch-tokens or --device cpu"));
  CHECK_THROWS_WITH(opened(needs.weights, 100), Contains("free; use --device cpu"));

  auto gpu = std::make_unique<EmulatedGpu>();
  const EmulatedGpu& memory = *gpu;
  Encoder encoder(tiny.folder(), with_batches_of(100), std::move(gpu));
  CHECK(memory.allocated() > (needs.weights + needs.batch) * 2 / 3);
  encoder.embed(std::vector<std::string>(20, "a b c"));
  CHECK(memory.allocated() <= needs.weights + needs.batch);
}

TEST_CASE("an encoder whose widths no kernel takes is refused") {
  const auto refusal = [](const TinyEncoderShape& shape) {
    const TinyEncoder tiny(shape);
    try {
      Encoder(tiny.folder(), {}, std::make_unique<EmulatedGpu>());
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(refusal({.hidden = 34}), Contains("rows of 34 values are no multiple of 4"));
  CHECK_THAT(refusal({.ffn = 50}), Contains("rows of 50 values"));
  CHECK_THAT(refusal({.hidden = 256, .heads = 1}), Contains("at most 128"));
}

TEST_CASE(
    "texts have the CPU's vectors on a GPU in batches of any size, and weights that give none are said") {
  const TinyEncoder tiny;
  const std::vector<std::string> texts = {"a b c", "", "hello world 12 34 56 78", "z", "A", "\xff"};
  const std::vector<float> expected = Encoder(tiny.folder(), {}).embed(texts);
  for (const std::size_t batch_tokens : {1U, 12U, 512U}) {
    Encoder encoder(tiny.folder(), with_batches_of(batch_tokens), std::make_unique<EmulatedGpu>());
    CHECK(worst_part(encoder.embed(texts), expected) < kTolerance);
    CHECK(encoder.embed({}).empty());
  }
  std::string weights = read_file(tiny.folder() / "model.safetensors");
  weights.replace(weights.size() - 4, 4, "\xff\xff\xff\x7f");  // NaN
  tiny.write("model.safetensors", weights);
  Encoder encoder(tiny.folder(), {}, std::make_unique<EmulatedGpu>());
  CHECK_THROWS_WITH(encoder.embed(texts), Contains("model.safetensors: the weights give"));
}

TEST_CASE("an encoder is opened on this machine's GPU, or the error says why not") {
  const TinyEncoder tiny;
  const auto gpu_of = [&](EngineDevice device) {
    EncoderOptions options;
    options.device = device;
    return Encoder(tiny.folder(), options).info().gpu;
  };
  CHECK_FALSE(gpu_of(EngineDevice::kCpu));
  if (const GpuSurvey survey = survey_gpus(); survey.gpus.empty()) {
    CHECK_THROWS_WITH(gpu_of(EngineDevice::kCuda),
                      Catch::Matchers::StartsWith("no GPU: " + survey.problem) && Contains("--device cpu"));
  } else {
    CHECK(gpu_of(EngineDevice::kCuda) == survey.gpus.front().name);
  }
}

TEST_CASE("published embeddings are met on a GPU", "[.slow]") {
  const auto folder = shared_path("vectors/embeddings");
  const auto model = test_encoder();
  if (!folder || !model) return;
  const Safetensors file(*folder / "embeddings.safetensors");
  const MatrixView published = file.matrix("embeddings");
  std::vector<std::string> texts;
  std::vector<float> expected;
  std::size_t row = 0;
  for_each_line(read_file(*folder / "texts.jsonl"), [&](std::string_view line, std::size_t) {
    const Json json = parse_json(line, "texts.jsonl");
    if (json.at("ids").size() <= 12 && texts.size() < 4) {
      texts.push_back(json.at("text"));
      std::vector<float> values(published.cols);
      dequantize(published.dtype, published.data + row * published.cols * sizeof(float), values);
      expected.insert(expected.end(), values.begin(), values.end());
    }
    ++row;
  });
  REQUIRE(texts.size() == 4);
  for (auto& device : all_devices()) {
    Encoder encoder(*model, {}, std::move(device));
    CHECK(worst_part(encoder.embed(texts), expected) < kTolerance);
  }
}

}  // namespace
}  // namespace micius
