#include "engine/speed.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "engine/kv_cache.h"
#include "engine/model/config.h"
#include "engine/model/cpu_decoder.h"
#include "engine/model/source.h"
#include "engine/model/transformer.h"
#include "engine/model/weights.h"
#include "engine/ops/op_context.h"
#include "engine/speed_internal.h"

namespace micius {

struct SpeedBench::Loaded {
  Loaded(const std::filesystem::path& model, const EngineOptions& options)
      : source(open_source(model)),
        pool(thread_count(options.threads)),
        context{options.isa.value_or(best_isa()), pool, scratch},
        config(config_from(*source)),
        decoder(Transformer(config, read_weights(*source, config, options.numerics, context)),
                options.numerics, context),
        layout(Transformer::kv_layout(config, options.numerics)),
        batch(options.batch_tokens),
        selection(options.selection),
        info(engine_info(*source, decoder, context)),
        rng("bench") {}

  // `tokens` new tokens of every sequence, in batches of at most `batch`.
  void forward(std::vector<KvSequence>& sequences, std::size_t tokens) {
    const std::size_t each = std::max<std::size_t>(batch / sequences.size(), 1);
    for (std::size_t done = 0; done < tokens; done += each) step(sequences, std::min(each, tokens - done));
  }

  void step(std::vector<KvSequence>& sequences, std::size_t tokens) {
    ids.resize(tokens);
    for (TokenId& id : ids) id = static_cast<TokenId>(rng.below(config.vocabulary));
    std::vector<ForwardSlice> slices;
    std::vector<std::int32_t> wanted;
    for (KvSequence& sequence : sequences) {
      slices.push_back({&sequence, ids, tokens == 1 ? selection : ValueSelection{}});
      wanted.push_back(static_cast<std::int32_t>(slices.size() * tokens - 1));
    }
    decoder.forward(slices, wanted);
    decoder.logits(0, sequences.size());
  }

  double seconds_of(const SpeedTest& test) {
    const std::size_t length = test.depth + test.prompt + test.generated;
    const std::size_t block = layout.page_bytes() * config.layers;
    KvPool kv(layout, config.layers, (KvPool::blocks_for(length) * test.sequences + 1) * block);
    std::vector<KvSequence> sequences;
    for (std::size_t i = 0; i < test.sequences; ++i) sequences.emplace_back(kv);
    forward(sequences, test.depth);
    const auto start = std::chrono::steady_clock::now();
    forward(sequences, test.prompt);
    for (std::size_t i = 0; i < test.generated; ++i) step(sequences, 1);
    return seconds_since(start);
  }

  std::unique_ptr<ModelSource> source;
  ThreadPool pool;
  Scratch scratch;
  OpContext context;
  ModelConfig config;
  CpuDecoder decoder;
  KvLayout layout;
  std::size_t batch;
  ValueSelection selection;
  EngineInfo info;
  Rng rng;
  std::vector<TokenId> ids;
};

SpeedBench::SpeedBench(const std::filesystem::path& model, const EngineOptions& options)
    : loaded_(std::make_unique<Loaded>(model, options)) {}

SpeedBench::~SpeedBench() = default;

const EngineInfo& SpeedBench::info() const { return loaded_->info; }

std::vector<double> SpeedBench::run(const SpeedTest& test, int repeats) {
  const std::size_t length = test.depth + test.prompt + test.generated;
  if (test.tokens() == 0) fail(ErrorCode::kUsage, "a speed test needs tokens to read or to generate");
  if (length > loaded_->config.context) {
    fail(ErrorCode::kUsage, "{} tokens are more than the model's context of {}", length,
         loaded_->config.context);
  }
  SpeedTest warm_up{std::min<std::size_t>(test.prompt, loaded_->batch),
                    std::min<std::size_t>(test.generated, 1), 0, test.sequences};
  loaded_->seconds_of(warm_up);
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) seconds.push_back(loaded_->seconds_of(test));
  return seconds;
}

}  // namespace micius
