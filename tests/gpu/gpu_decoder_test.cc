// Whole models on the emulated GPU, beside the CPU.
#include "engine/model/gpu_decoder.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "engine/encode.h"
#include "engine/engine.h"
#include "engine/gpu.h"
#include "engine/scheduler.h"
#include "engine/test_model.h"
#include "engine/tiny_model.h"
#include "gpu/both_decoders.h"
#include "gpu/emulated_gpu.h"
#include "gpu/row_cases.h"
#include "source_tree.h"

namespace micius {
namespace {

using emulation::EmulatedGpu;

// Of the last two rows of each chunk of a text that runs beside another one, the other's last row between.
std::vector<float> logits_of(Decoder& decoder, std::span<const TokenId> ids,
                             const std::vector<std::size_t>& chunks) {
  const auto pool = decoder.make_kv_pool(1 << 20);
  KvSequence kv(*pool), other(*pool);
  std::vector<float> all;
  for (const std::size_t chunk : chunks) {
    const std::size_t beside = std::min<std::size_t>(chunk, 3);
    const ForwardSlice slices[] = {{&other, ids.subspan(kv.length() / 2, beside)},
                                   {&kv, ids.subspan(kv.length(), chunk)}};
    std::vector<std::int32_t> wanted{static_cast<std::int32_t>(beside - 1)};
    for (std::size_t back = std::min<std::size_t>(chunk, 2); back > 0; --back) {
      wanted.push_back(static_cast<std::int32_t>(beside + chunk - back));
    }
    decoder.forward(slices, wanted);
    const std::span<const float> logits = decoder.logits(0, wanted.size());
    all.insert(all.end(), logits.begin(), logits.end());
  }
  return all;
}

double worst_of_chunks(BothDecoders& both, std::span<const TokenId> ids) {
  const std::vector<std::size_t> chunks{66, 1, 4, 1};  // a page of a cache is full with 64
  const std::vector<float> gpu = logits_of(both.gpu(), ids, chunks);
  return worst_part(gpu, logits_of(both.cpu(), ids, chunks));
}

// With half K what q and K's widening make is bf16 on a GPU, which has no fp32 weights.
double tolerance(const ModelConfig& config, Numerics numerics) {
  return numerics == Numerics::kFast ? 2e-2 : config.half_k() ? 1e-2 : 2e-3;
}

// The models of a file of the source tree, their matrices in the row's format, else bf16; returns how many
// there are.
std::size_t check_models(const std::string& path) {
  std::size_t models = 0;
  for_each_line(read_file(source_tree() / path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, path + ":" + std::to_string(number));
    const std::string format = row.value("format", "BF16"), numerics = row.value("numerics", "precise");
    INFO(row["name"] << ", " << format << ", " << numerics);
    const auto ids = row["ids"].get<std::vector<TokenId>>();
    for (const auto& device : all_devices()) {
      BothDecoders both(converted_family(row), Numerics::kFp32, numerics_from(numerics), *device);
      CHECK(worst_of_chunks(both, ids) < tolerance(both.gpu().config(), numerics_from(numerics)));
    }
    ++models;
  });
  return models;
}

TEST_CASE("models of all families have the CPU's logits on a GPU") {
  CHECK(check_models("tests/engine/families.jsonl") == 8);
}

TEST_CASE(
    "DiffQKV models have the CPU's logits on a GPU: unequal heads and widths, AugQ, half K, all formats") {
  CHECK(check_models("tests/gpu/diffqkv_models.jsonl") == 10);
}

struct Answers {
  std::vector<TokenWeight> weights;
  std::vector<TokenId> ids;
};

// Of choices that share a context, and of a generation that begins like them.
Answers answers_of(Decoder& decoder, const Tokenizer& tokenizer, const OpContext& context) {
  Rng rng("gpu decoder test");
  std::vector<TokenId> header(50);
  for (TokenId& id : header) id = static_cast<TokenId>(rng.below(256));
  WeighJob weigh;
  for (const std::vector<TokenId>& choice : {std::vector<TokenId>{65, 66}, {70}, {71, 72, 73}}) {
    weigh.pairs.push_back({header, choice});
  }
  GenerateJob generate;
  generate.prompt.assign(header.begin(), header.begin() + 40);
  generate.max_tokens = 5;
  const auto pool = decoder.make_kv_pool(1 << 20);
  Scheduler scheduler(decoder, tokenizer, context, *pool, {.batch_tokens = 48});
  scheduler.add(JobId{0}, weigh);
  scheduler.add(JobId{1}, generate);
  Answers answers;
  while (!scheduler.idle()) {
    for (JobResult& result : scheduler.step().finished) {
      REQUIRE_FALSE(result.failure);
      if (result.id == JobId{0}) answers.weights = result.weights;
      if (result.id == JobId{1}) answers.ids = result.ids;
    }
  }
  return answers;
}

void check_jobs(BothDecoders& both) {
  const Tokenizer tokenizer(both.source().tokenizer());
  const Answers cpu = answers_of(both.cpu(), tokenizer, both.context());
  const Answers gpu = answers_of(both.gpu(), tokenizer, both.context());
  CHECK(gpu.ids == cpu.ids);
  REQUIRE(gpu.weights.size() == cpu.weights.size());
  for (std::size_t i = 0; i < cpu.weights.size(); ++i) {
    CHECK(std::abs(gpu.weights[i].logprob - cpu.weights[i].logprob) < 0.01);
    CHECK(gpu.weights[i].greedy == cpu.weights[i].greedy);
  }
}

TEST_CASE("jobs have the CPU's log-likelihoods and tokens on a GPU, in every format") {
  const TinyModel model;
  const auto source = open_source(model.path());
  for (const DType dtype : {DType::kBF16, DType::kQ8_0, DType::kQ4_0, DType::kQ4_1}) {
    INFO(dtype_name(dtype));
    for (const auto& device : all_devices()) {
      BothDecoders both(converted(*source, dtype), Numerics::kPrecise, Numerics::kPrecise, *device);
      check_jobs(both);
    }
  }
}

// Log-likelihoods of a question's choices.
std::vector<double> weighed(Decoder& decoder, const Tokenizer& tokenizer, const OpContext& context) {
  WeighJob job;
  for (const char* choice : {" oxygen", " carbon dioxide", " hydrogen", " nitrogen"}) {
    const auto pair = encode_pair(
        tokenizer, "Question: Which gas do plants take from the air to make sugar?\nAnswer:", choice);
    job.pairs.push_back(std::get<TokenPair>(pair));
  }
  const auto pool = decoder.make_kv_pool(64 << 20);
  Scheduler scheduler(decoder, tokenizer, context, *pool, {.batch_tokens = 512});
  scheduler.add(JobId{0}, job);
  std::vector<double> logprobs;
  while (!scheduler.idle()) {
    for (const JobResult& result : scheduler.step().finished) {
      REQUIRE_FALSE(result.failure);
      for (const TokenWeight& weight : result.weights) logprobs.push_back(weight.logprob);
    }
  }
  return logprobs;
}

// Minutes on the emulation.
TEST_CASE("the default model has the CPU's log-likelihoods on a GPU, and the same choice", "[.long]") {
  const auto path = test_model();
  if (!path) return;
  const std::unique_ptr<Device> device = std::move(all_devices().back());
  BothDecoders both(read_file(*path), Numerics::kPrecise, Numerics::kPrecise, *device);
  const Tokenizer tokenizer(both.source().tokenizer());
  const std::vector<double> cpu = weighed(both.cpu(), tokenizer, both.context());
  const std::vector<double> gpu = weighed(both.gpu(), tokenizer, both.context());
  REQUIRE(cpu.size() == gpu.size());
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    CAPTURE(cpu[i], gpu[i]);
    CHECK(std::abs(gpu[i] - cpu[i]) < 2e-2);
  }
  const auto best = [](const std::vector<double>& of) {
    return std::max_element(of.begin(), of.end()) - of.begin();
  };
  CHECK(best(gpu) == best(cpu));
}

// What an error says when the tiny model, its config changed, is opened on a GPU; else "".
std::string refusal(EmulatedGpu& device, Numerics numerics, const std::function<void(ModelConfig&)>& change) {
  const TinyModel model;
  const auto source = open_source(model.path());
  ModelConfig config = config_from(*source);
  change(config);
  ThreadPool pool(1);
  try {
    GpuDecoder(*source, config, numerics, device, pool);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("what a GPU cannot do is refused when a model is opened") {
  EmulatedGpu device;
  const auto refused = [&](Numerics numerics, const std::function<void(ModelConfig&)>& change) {
    const std::string message = refusal(device, numerics, change);
    CHECK(device.allocated() == 0);
    return message;
  };
  using Catch::Matchers::Contains;
  const auto as_it_is = [](ModelConfig&) {};
  CHECK_THAT(refused(Numerics::kFp32, as_it_is), Contains("--numerics fp32 is the CPU's"));
  CHECK_THAT(refused(Numerics::kPrecise, [](ModelConfig& c) { c.attention.d_k = 256; }),
             Contains("at most 128"));
  CHECK_THAT(refused(Numerics::kPrecise, [](ModelConfig& c) { c.ffn = 30; }), Contains("no multiple of 4"));
  CHECK(refused(Numerics::kPrecise, as_it_is).empty());
}

TEST_CASE("a model is opened on this machine's GPU, or the error says why not") {
  const TinyModel model;
  const auto gpu_of = [&](const EngineOptions& options) { return Engine(model.path(), options).info().gpu; };
  EngineOptions options;
  CHECK_FALSE(gpu_of(options));
  options.device = EngineDevice::kCuda;
  if (const GpuSurvey survey = survey_gpus(); survey.gpus.empty()) {
    CHECK_THROWS_WITH(gpu_of(options), Catch::Matchers::StartsWith("no GPU: " + survey.problem) &&
                                           Catch::Matchers::Contains("use --device cpu"));
  } else {
    CHECK(gpu_of(options) == survey.gpus.front().name);
  }
}

TEST_CASE("a GPU with too little memory is told of with numbers") {
  EmulatedGpu small(20000);
  CHECK_THAT(refusal(small, Numerics::kPrecise, [](ModelConfig&) {}),
             Catch::Matchers::Contains("of 20000 are in use"));
  CHECK(small.allocated() == 0);
}

}  // namespace
}  // namespace micius
