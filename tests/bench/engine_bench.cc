// Speed of the engine's forward pass, without tokenizer and sampler: medians in tokens a second, and in
// tokens a second of CPU time, which neighbours on the machine disturb less.
//   micius_engine_bench MODEL.gguf [isa] [threads] [repeats] [workload prefix]
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/model/transformer.h"
#include "engine/ops/logits.h"

namespace micius {
namespace {

struct Bench {
  Transformer& model;
  KvPool& pool;
  const OpContext& context;
  std::vector<float> logits;

  // One batch; logits of each slice's last token.
  void step(std::span<KvSequence> sequences, std::size_t tokens) {
    std::vector<TokenId> ids(tokens);
    for (std::size_t i = 0; i < tokens; ++i)
      ids[i] = static_cast<TokenId>((i * 7919 + 13) % model.config().vocabulary);
    std::vector<ForwardSlice> slices;
    std::vector<std::int32_t> wanted;
    for (KvSequence& sequence : sequences) {
      slices.push_back({&sequence, ids});
      wanted.push_back(static_cast<std::int32_t>(slices.size() * tokens - 1));
    }
    const std::span<const float> hidden = model.forward(slices, wanted, context);
    logits.resize(sequences.size() * model.config().vocabulary);
    model.head().apply(hidden, logits, context);
  }

  std::vector<KvSequence> sequences(std::size_t count, std::size_t depth) {
    std::vector<KvSequence> all;
    for (std::size_t i = 0; i < count; ++i) all.emplace_back(pool);
    for (std::size_t done = 0; done < depth; done += 512) {
      for (KvSequence& sequence : all) step({&sequence, 1}, std::min<std::size_t>(512, depth - done));
    }
    return all;
  }
};

struct Workload {
  std::string name;
  std::size_t sequences, depth, tokens, steps;  // each step runs `tokens` tokens of every sequence
};

void measure(Bench& bench, const Workload& work, int repeats) {
  std::vector<double> rates, cpu_rates;
  for (int i = 0; i < repeats; ++i) {
    std::vector<KvSequence> sequences = bench.sequences(work.sequences, work.depth);
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    for (std::size_t step = 0; step < work.steps; ++step) bench.step(sequences, work.tokens);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
    const auto tokens = static_cast<double>(work.sequences * work.tokens * work.steps);
    rates.push_back(tokens / spent.count());
    cpu_rates.push_back(tokens / cpu);
  }
  std::sort(rates.begin(), rates.end());
  std::sort(cpu_rates.begin(), cpu_rates.end());
  fmt::print("{:<24} {:9.1f} tok/s median, {:9.1f} best of {}; {:9.1f} a CPU second\n", work.name,
             rates[rates.size() / 2], rates.back(), repeats, cpu_rates[cpu_rates.size() / 2]);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: micius_engine_bench MODEL.gguf [isa] [threads] [repeats] [workload prefix]\n");
    return 2;
  }
  const Isa isa = argc > 2 ? isa_from(argv[2]) : best_isa();
  ThreadPool threads(argc > 3 ? std::atoi(argv[3]) : 2);
  const int repeats = argc > 4 ? std::atoi(argv[4]) : 5;
  const std::string only = argc > 5 ? argv[5] : "";
  Scratch scratch;
  const OpContext context{isa, threads, scratch};
  const auto source = open_source(argv[1]);
  const ModelConfig config = config_from(*source);
  Transformer model(config, read_weights(*source, config, Numerics::kPrecise, context));
  KvPool pool(Transformer::kv_layout(config, Numerics::kPrecise), config.layers, std::size_t{1} << 30);
  fmt::print("{}, {}, {} threads, {} MB packed\n", cpu_name(), isa_name(isa), threads.threads(),
             model.bytes() >> 20);
  Bench bench{model, pool, context, {}};
  const std::vector<Workload> all = {
      {"pp512", 1, 0, 512, 1},
      {"pp2048", 1, 0, 512, 4},
      {"tg64", 1, 16, 1, 64},
      {"tg64 at depth 2048", 1, 2048, 1, 64},
      {"32 sequences at 160", 32, 160, 1, 16},
      {"8 sequences at 160", 8, 160, 1, 16},
  };
  for (const Workload& work : all) {
    if (work.name.starts_with(only)) measure(bench, work, repeats);
  }
  return 0;
}

}  // namespace
}  // namespace micius

int main(int argc, char** argv) {
  try {
    return micius::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
