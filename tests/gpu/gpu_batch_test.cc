// What the scheduler may hand out as one step: GPUs beside the CPU.
#include "engine/model/gpu_batch.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "engine/engine.h"
#include "engine/sampler.h"
#include "gpu/both_decoders.h"
#include "gpu/emulated_gpu.h"
#include "gpu/row_cases.h"
#include "source_tree.h"

namespace micius {
namespace {

using emulation::EmulatedGpu;

Json model_named(const std::string& name) {
  std::optional<Json> found;
  for (const char* path : {"tests/engine/families.jsonl", "tests/gpu/diffqkv_models.jsonl"}) {
    for_each_line(read_file(source_tree() / path), [&](std::string_view line, std::size_t number) {
      const Json row = parse_json(line, path + (":" + std::to_string(number)));
      if (row["name"] == name && !found) found = row;
    });
  }
  REQUIRE(found);
  return *found;
}

// Sequences of one decoder, and tokens for them that follow from their names.
class Sequences {
 public:
  explicit Sequences(Decoder& decoder) : decoder_(decoder), pool_(decoder.make_kv_pool(1 << 20)) {}

  // The logits of all rows of a script's step; of a fork none.
  std::vector<float> run(const Json& step) {
    if (step.contains("fork")) {
      const KvSequence& from = sequences_.at(step["fork"].get<std::string>());
      sequences_.insert_or_assign(step["to"].get<std::string>(),
                                  from.fork(step["tokens"].get<std::size_t>()));
      return {};
    }
    std::vector<std::vector<TokenId>> tokens;
    std::vector<ForwardSlice> slices;
    std::vector<std::int32_t> wanted;
    for (const Json& part : step["batch"]) {
      const std::string of = part["of"];
      KvSequence& kv = sequences_.try_emplace(of, *pool_).first->second;
      Rng rng(of + std::to_string(kv.length()));
      std::vector<TokenId>& ids = tokens.emplace_back(part["tokens"].get<std::size_t>());
      for (TokenId& id : ids) {
        id = static_cast<TokenId>(rng.below(decoder_.config().vocabulary));
        wanted.push_back(static_cast<std::int32_t>(wanted.size()));
      }
      const auto weights = part.value("raw", false) ? SelectedWeights::kRaw : SelectedWeights::kRenormalised;
      slices.push_back({&kv, ids, {part.value("top", std::size_t{0}), weights}});
    }
    decoder_.forward(slices, wanted);
    const std::span<const float> logits = decoder_.logits(0, wanted.size());
    return {logits.begin(), logits.end()};
  }

 private:
  Decoder& decoder_;
  std::unique_ptr<KvPool> pool_;
  std::map<std::string, KvSequence> sequences_;
};

void check_batches(const Json& row, Device& device) {
  BothDecoders both(converted_family(model_named(row["model"])), numerics_from(row.value("cpu", "fp32")),
                    Numerics::kPrecise, device);
  Sequences gpu(both.gpu()), cpu(both.cpu());
  for (const Json& step : row["steps"]) {
    const std::vector<float> expected = cpu.run(step), got = gpu.run(step);
    if (!expected.empty()) CHECK(worst_part(got, expected) < row.value("tolerance", 2e-3));
  }
  const auto* const emulated = dynamic_cast<const EmulatedGpu*>(&device);
  if (emulated == nullptr) return;
  CHECK(emulated->launches_of<MergeLaunch>() == row["merges"].get<std::size_t>());
  CHECK(emulated->launches_of<SelectiveLaunch>() == row["selections"].get<std::size_t>());
  CHECK(emulated->launches_of<DenseLaunch>() == row.value("products", std::size_t{0}));
}

// The scripts that are slow, or those that are not; returns how many there are.
enum class Pace { kQuick, kSlow };
std::size_t check_batches(Pace pace) {
  std::size_t batches = 0;
  const char* const path = "tests/gpu/gpu_batches.jsonl";
  for_each_line(read_file(source_tree() / path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, path + (":" + std::to_string(number)));
    if (row.value("slow", false) != (pace == Pace::kSlow)) return;
    INFO(row["name"]);
    if (row.contains("multiprocessors")) {
      EmulatedGpu device(std::size_t{1} << 30, row["multiprocessors"].get<std::uint32_t>());
      check_batches(row, device);
    } else {
      for (const auto& device : all_devices()) check_batches(row, *device);
    }
    ++batches;
  });
  return batches;
}

TEST_CASE("batches of all kinds of slices have the CPU's logits on a GPU, by the kernels for them") {
  CHECK(check_batches(Pace::kQuick) == 9);
}

TEST_CASE("batches of windowed and of long sequences have the CPU's logits on a GPU", "[.slow]") {
  CHECK(check_batches(Pace::kSlow) == 5);
}

TEST_CASE("steps of generations are replayed, and have the CPU's logits") {
  for (const auto& device : all_devices()) {
    BothDecoders both(converted_family(model_named("8/2/4 heads")), Numerics::kFp32, Numerics::kPrecise,
                      *device);
    Sequences gpu(both.gpu()), cpu(both.cpu());
    const Json prompts = Json::parse(R"({"batch":[{"of":"a","tokens":60},{"of":"b","tokens":7}]})");
    const Json step = Json::parse(R"({"batch":[{"of":"a","tokens":1},{"of":"b","tokens":1}]})");
    CHECK(worst_part(gpu.run(prompts), cpu.run(prompts)) < 2e-3);
    constexpr std::size_t kSteps = 24;  // over a page's end, and over parts of pages
    for (std::size_t i = 0; i < kSteps; ++i) CHECK(worst_part(gpu.run(step), cpu.run(step)) < 2e-3);
    if (const auto* emulated = dynamic_cast<const EmulatedGpu*>(device.get())) {
      CHECK(emulated->replays() >= 2 * kSteps - 8);  // each step is two lists: the pass, and the logits
      CHECK(emulated->recordings() <= 4);
    }
  }
}

TEST_CASE("a GPU finds the tokens that the CPU does") {
  const Json row = model_named("8/2/4 heads");
  const auto ids = row["ids"].get<std::vector<TokenId>>();
  const auto tokens_of = [&](Decoder& decoder) {
    const std::vector<std::int32_t> wanted{0, 3, 4, 17};
    const auto pool = decoder.make_kv_pool(1 << 20);
    KvSequence kv(*pool);
    const ForwardSlice slices[] = {{&kv, std::span(ids).first(20)}};
    decoder.forward(slices, wanted);
    std::vector<std::optional<TokenId>> tokens(3);
    decoder.greedy(1, tokens);
    const std::span<const float> logits = decoder.logits(1, 3);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const auto of_row = logits.subspan(i * decoder.config().vocabulary, decoder.config().vocabulary);
      REQUIRE(tokens[i]);
      CHECK(*tokens[i] == greedy_token(of_row));
    }
    return tokens;
  };
  for (const auto& device : all_devices()) {
    BothDecoders both(converted_family(row), Numerics::kFp32, Numerics::kPrecise, *device);
    const auto cpu = tokens_of(both.cpu()), gpu = tokens_of(both.gpu());
    CHECK(gpu == cpu);
  }
}

}  // namespace
}  // namespace micius
