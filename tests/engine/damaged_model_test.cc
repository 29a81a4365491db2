// Whole model files whose numbers lie: an error that names its place or an answer, at no great cost.
#include <cstring>
#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/rng.h"
#include "engine/engine.h"
#include "engine/tiny_model.h"

namespace micius {
namespace {

void set_integer(std::string& file, const std::string& key, std::uint32_t value) {
  const std::size_t at = file.find(key);
  REQUIRE(at != std::string::npos);
  std::memcpy(file.data() + at + key.size() + 4, &value, sizeof value);  // behind the value's type
}

EngineOptions one_thread() {
  EngineOptions options;
  options.threads = 1;
  return options;
}

JobResult result_of(Engine& engine, Job job) {
  engine.add(std::move(job));
  while (true) {
    StepResult step = engine.step();
    if (!step.finished.empty()) return std::move(step.finished.front());
  }
}

TEST_CASE("A model's numbers that do not fit its tensors are named", "[model]") {
  struct Case {
    std::string key;
    std::uint32_t value;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"llama.block_count", 0, "key 'llama.block_count': expected a number from 1"},
      {"llama.block_count", 1 << 24, "key 'llama.block_count': expected no more layers than"},
      {"llama.block_count", 3, "tensor 'blk.2.attn_q.weight' is missing"},
      {"llama.block_count", 1, "tensor 'blk.1.attn_k.weight' is no part of the architecture"},
      {"llama.embedding_length", 64, "is [271, 32], the model's numbers ask for [271, 64]"},
      {"llama.feed_forward_length", 1 << 24, "tensor 'blk.0.ffn_gate.weight' is [64, 32]"},
      {"llama.attention.head_count", 3, "expected a divisor of the embedding length 32"},
      {"llama.attention.head_count", 1, "expected at least as many q heads as K (2)"},
      {"llama.attention.head_count_kv", 1 << 24, "expected at least as many q heads"},
      {"llama.context_length", 0xffffffff, "key 'llama.context_length': expected a number from 1"},
      {"tokenizer.ggml.eos_token_id", 271, "expected an id below 271"},
  };
  for (const Case& c : cases) {
    INFO(c.key << " = " << c.value);
    const TinyModel model([&](std::string& file) { set_integer(file, c.key, c.value); });
    CHECK_THROWS_WITH(Engine(model.path(), one_thread()), Catch::Contains(c.message));
  }
}

TEST_CASE("A context of any length costs what is used of it", "[model]") {
  const TinyModel model([](std::string& file) { set_integer(file, "llama.context_length", 1 << 24); });
  Engine engine(model.path(), one_thread());
  CHECK(engine.info().context == 1 << 24);
  CHECK(result_of(engine, LogitsJob{{1, 2, 3}}).logits.size() == kTinyVocabulary);
}

TEST_CASE("A model that gives no numbers fails every job", "[model]") {
  const TinyModel model([](std::string& file) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(file.data() + file.size() - sizeof nan, &nan, sizeof nan);  // of the last layer
  });
  for (const Numerics numerics : {Numerics::kFp32, Numerics::kPrecise, Numerics::kFast}) {
    EngineOptions options = one_thread();
    options.numerics = numerics;
    Engine engine(model.path(), options);
    GenerateJob sampled;
    sampled.prompt = {1, 2};
    sampled.max_tokens = 8;
    sampled.sampling = {0.8, 0, 1, 0.1};
    GenerateJob greedy = sampled;
    greedy.sampling = {};
    for (const Job& job : {Job(WeighJob{{{{1}, {2, 3}}}}), Job(sampled), Job(greedy), Job(LogitsJob{{1}})}) {
      const JobResult result = result_of(engine, job);
      REQUIRE(result.failure);
      CHECK(result.failure->code == "not_finite");
      CHECK(result.weights.empty());
      CHECK(result.logits.empty());
    }
    CHECK(engine.idle());
  }
}

TEST_CASE("A damaged model is refused or run, never more", "[model][fuzz]") {
  Rng rng("damaged models");
  std::size_t refused = 0;
  for (int i = 0; i < 400; ++i) {
    const TinyModel model([&](std::string& file) {
      // Half of them in the tensors' names, dimensions and places.
      const std::size_t infos = file.find("token_embd.weight") - 8, weights = file.size() * 9 / 10;
      const std::size_t from = i % 2 == 0 ? 0 : infos, to = i % 2 == 0 ? weights : infos + 1200;
      for (std::size_t flips = 1 + rng.below(3); flips > 0; --flips) {
        file[from + rng.below(to - from)] = static_cast<char>(rng.below(256));
      }
    });
    try {
      Engine engine(model.path(), one_thread());
      const JobResult result = result_of(engine, LogitsJob{{1, 2}});
      CHECK((result.failure || result.logits.size() == engine.info().vocabulary));
    } catch (const Error& error) {
      ++refused;
      CHECK(std::string(error.what()).size() < 1000);
    }
  }
  CHECK(refused > 40);
}

}  // namespace
}  // namespace micius
