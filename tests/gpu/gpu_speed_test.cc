// The speed bench of models on the emulated GPU.
#include <algorithm>
#include <memory>

#include <catch2/catch.hpp>

#include "engine/gpu_needs.h"
#include "engine/speed.h"
#include "engine/tiny_model.h"
#include "gpu/emulated_gpu.h"

namespace micius {
namespace {

using Catch::Matchers::Contains;
using emulation::EmulatedGpu;

TEST_CASE("models are timed on a GPU by the same protocol as on the CPU") {
  const TinyModel model;
  EngineOptions options;
  options.threads = 1;
  options.batch_tokens = 48;
  const std::vector<SpeedTest> tests{{.prompt = 60}, {.generated = 3, .depth = 10, .sequences = 2}};
  SpeedBench bench(model.path(), options, tests, std::make_unique<EmulatedGpu>());
  CHECK(bench.info().gpu == "emulated GPU");
  for (const SpeedTest& test : tests) {
    const std::vector<double> seconds = bench.run(test, 2);
    REQUIRE(seconds.size() == 2);
    CHECK(std::min(seconds[0], seconds[1]) > 0);
  }
  SpeedBench on_cpu(model.path(), options, tests, nullptr);
  CHECK_FALSE(on_cpu.info().gpu);
  CHECK_THROWS_WITH(SpeedBench(model.path(), options, {{.prompt = 300}}, std::make_unique<EmulatedGpu>()),
                    Contains("more than the model's context of 256"));
  const auto source = open_source(model.path());
  const GpuNeeds needs = gpu_needs(*source, config_from(*source), {}, EmulatedGpu().figures());
  options.batch_tokens = 200;
  CHECK_THROWS_WITH(
      SpeedBench(model.path(), options, {{.prompt = 10}}, std::make_unique<EmulatedGpu>(needs.total(150))),
      Contains("no room for batches of 200 tokens") && Contains("give -b 1"));
}

}  // namespace
}  // namespace micius
