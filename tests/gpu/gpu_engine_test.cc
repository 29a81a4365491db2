// The engine on emulated GPUs: one, several, and such with little memory.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/gpu_needs.h"
#include "engine/tiny_model.h"
#include "gpu/emulated_gpu.h"

namespace micius {
namespace {

using Catch::Matchers::Contains;
using emulation::EmulatedGpu;

// Some devices for an engine, and what they did.
struct Gpus {
  explicit Gpus(std::size_t count, std::size_t memory_bytes = std::size_t{1} << 30) {
    for (std::size_t i = 0; i < count; ++i) {
      auto gpu = std::make_unique<EmulatedGpu>(memory_bytes);
      each.push_back(gpu.get());
      devices.push_back(std::move(gpu));
    }
  }
  std::vector<std::unique_ptr<Device>> devices;
  std::vector<EmulatedGpu*> each;
};

EngineOptions small_options() {
  EngineOptions options;
  options.threads = 1;
  options.batch_tokens = 48;
  options.kv_memory = 1 << 20;
  return options;
}

// By job: weighed choices, and generations of different lengths.
std::map<JobId, JobResult> results_of(Engine& engine, std::size_t jobs) {
  Rng rng("gpu engine test");
  for (std::size_t i = 0; i < jobs; ++i) {
    std::vector<TokenId> prompt(5 + i % 3 * 20);
    for (TokenId& id : prompt) id = static_cast<TokenId>(rng.below(256));
    if (i % 2 == 0) {
      WeighJob job;
      job.pairs = {{prompt, {65, 66}}, {prompt, {70}}};
      engine.add(std::move(job));
    } else {
      GenerateJob job;
      job.prompt = prompt;
      job.max_tokens = static_cast<int>(1 + i);
      engine.add(std::move(job));
    }
  }
  std::map<JobId, JobResult> results;
  while (!engine.idle()) {
    for (JobResult& result : engine.step().finished) {
      REQUIRE_FALSE(result.failure);
      const JobId id = result.id;
      results.emplace(id, std::move(result));
    }
  }
  return results;
}

// Of log-likelihoods; all else must be the same.
double worst_difference(const std::map<JobId, JobResult>& expected,
                        const std::map<JobId, JobResult>& results) {
  REQUIRE(results.size() == expected.size());
  double worst = 0;
  for (const auto& [id, result] : results) {
    const JobResult& other = expected.at(id);
    CHECK(result.ids == other.ids);
    CHECK(result.text == other.text);
    REQUIRE(result.weights.size() == other.weights.size());
    for (std::size_t i = 0; i < result.weights.size(); ++i) {
      worst = std::max(worst, std::abs(result.weights[i].logprob - other.weights[i].logprob));
    }
  }
  return worst;
}

TEST_CASE("jobs give the same bits however they are shared out, where a row's do not depend on others") {
  const TinyModel model;
  Engine one(model.path(), small_options());
  Engine three(model.path(), small_options(), std::vector<std::unique_ptr<Device>>(3));
  CHECK_FALSE(three.info().gpu);
  CHECK(worst_difference(results_of(one, 20), results_of(three, 20)) == 0);
}

TEST_CASE("jobs give on several GPUs what they give on one, and every GPU has its share") {
  const TinyModel model;
  Gpus one(1), three(3);
  Engine first(model.path(), small_options(), std::move(one.devices));
  Engine shared(model.path(), small_options(), std::move(three.devices));
  CHECK(first.info().gpu == "emulated GPU");
  CHECK(shared.info().gpu == "3 x emulated GPU");
  CHECK(shared.info().replicas == 3);
  CHECK(worst_difference(results_of(first, 8), results_of(shared, 8)) < 1e-3);
  for (const EmulatedGpu* gpu : three.each) CHECK(gpu->launches() > one.each[0]->launches() / 8);
}

TEST_CASE("a cancelled job of one of several GPUs gives nothing") {
  const TinyModel model;
  Gpus two(2);
  Engine engine(model.path(), small_options(), std::move(two.devices));
  GenerateJob job;
  job.prompt = {1, 2, 3};
  job.max_tokens = 4;
  const JobId kept = engine.add(job), cancelled = engine.add(job);
  engine.step();
  engine.cancel(cancelled);
  std::vector<JobId> finished;
  while (!engine.idle()) {
    for (const JobResult& result : engine.step().finished) finished.push_back(result.id);
  }
  CHECK(finished == std::vector<JobId>{kept});
}

TEST_CASE("what a model needs of a GPU is known before it is read") {
  const TinyModel model;
  const auto source = open_source(model.path());
  const EngineOptions options = small_options();
  Gpus gpus(1);
  const EmulatedGpu& gpu = *gpus.each[0];
  const GpuNeeds needs =
      gpu_needs(*source, config_from(*source), {options.kv_memory, options.selection}, gpu.figures());
  Engine engine(model.path(), options, std::move(gpus.devices));
  CHECK(gpu.allocated() == Approx(needs.weights + needs.kv).epsilon(0.05));
  results_of(engine, 8);
  CHECK(gpu.allocated() <= needs.total(options.batch_tokens));
}

TEST_CASE("what attention, RoPE and whole logits need of a GPU is counted") {
  const TinyModel model;
  const auto source = open_source(model.path());
  const ModelConfig config = config_from(*source);
  const GpuFigures figures = EmulatedGpu().figures();
  const auto batch_of = [&](const GpuUse& use) { return gpu_needs(*source, config, use, figures).batch; };
  const GpuUse plain{.kv_bytes = 1 << 20};
  GpuUse use = plain;
  use.logit_rows += 3;
  CHECK(batch_of(use) - batch_of(plain) == 3 * config.vocabulary * sizeof(float));
  use = plain;
  use.selection.top = 2;
  CHECK(batch_of(use) - batch_of(plain) == 64 << 20);
  use = plain;
  use.kv_bytes = 0;  // no positions
  CHECK(batch_of(plain) - batch_of(use) == 2 * config.context * config.attention.d_k * sizeof(float));
  GpuFigures more = figures;
  more.multiprocessors += 1;
  CHECK(gpu_needs(*source, config, plain, more).batch > batch_of(plain));
}

TEST_CASE("an engine with selective V keeps to what it said it needs of a GPU") {
  const TinyModel model;
  const auto source = open_source(model.path());
  EngineOptions options = small_options();
  options.selection.top = 4;
  Gpus gpus(1);
  const EmulatedGpu& gpu = *gpus.each[0];
  const GpuNeeds needs =
      gpu_needs(*source, config_from(*source), {options.kv_memory, options.selection}, gpu.figures());
  Engine engine(model.path(), options, std::move(gpus.devices));
  results_of(engine, 6);
  CHECK(gpu.launches_of<SelectiveLaunch>() > 0);
  CHECK(gpu.allocated() <= needs.total(options.batch_tokens));
}

TEST_CASE("several GPUs are named each, those that are alike together") {
  CHECK(gpu_names(std::vector<std::string>{"A"}) == "A");
  CHECK(gpu_names(std::vector<std::string>{"A", "A"}) == "2 x A");
  CHECK(gpu_names(std::vector<std::string>{"A", "B", "A", "C"}) == "2 x A, B, C");
}

TEST_CASE("a model that gives no numbers fails a generation on a GPU") {
  const TinyModel model([](std::string& file) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(file.data() + file.size() - sizeof nan, &nan, sizeof nan);  // of the last layer
  });
  Gpus one(1);
  Engine engine(model.path(), small_options(), std::move(one.devices));
  GenerateJob job;
  job.prompt = {1, 2};
  job.max_tokens = 2;
  engine.add(job);
  std::optional<JobResult> result;
  while (!engine.idle()) {
    for (JobResult& finished : engine.step().finished) result = std::move(finished);
  }
  REQUIRE(result);
  REQUIRE(result->failure);
  CHECK(result->failure->code == "not_finite");
}

TEST_CASE("a batch that finds no room on a GPU is made smaller, down to 32 tokens") {
  const TinyModel model;
  const auto source = open_source(model.path());
  const GpuNeeds needs =
      gpu_needs(*source, config_from(*source), {.kv_bytes = 3 << 20}, EmulatedGpu().figures());
  const auto tokens = [&](std::size_t memory, std::size_t most) {
    return fitting_batch(needs, most, *source, EmulatedGpu(memory));
  };
  CHECK(tokens(needs.total(512), 512) == 512);
  CHECK(tokens(needs.total(512) - 1, 512) == 256);
  CHECK(tokens(needs.total(50), 100) == 50);
  CHECK(tokens(needs.total(49), 100) == 32);
  CHECK(tokens(needs.total(20), 20) == 20);
  CHECK_THROWS_WITH(tokens(needs.total(20) - 1, 20), Contains("a batch of 20 tokens"));
  CHECK_THROWS_WITH(tokens(needs.total(32) - 1, 512),
                    Contains(source->file()) && Contains("3.1 MB for keys and values") &&
                        Contains("of emulated GPU there are") &&
                        Contains("leave 2 MB or less to keys and values (--kv-memory"));
  CHECK_THROWS_WITH(tokens(needs.total(32) - (3 << 20), 512), Contains("weights of fewer bits"));
  CHECK_THROWS_WITH(tokens(needs.weights, 512), Contains("weights of fewer bits (micius model convert)"));
}

TEST_CASE("an engine on a GPU with too little memory says what it needs") {
  const TinyModel model;
  Gpus small(1, 20'000);
  CHECK_THROWS_WITH(Engine(model.path(), small_options(), std::move(small.devices)),
                    Contains("for weights, 1.0 MB for keys and values") && Contains("20.0 kB free"));
}

}  // namespace
}  // namespace micius
