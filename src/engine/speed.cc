#include "engine/speed.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/rng.h"
#include "engine/device/device.h"
#include "engine/gpu_device.h"
#include "engine/gpu_needs.h"
#include "engine/kv_cache.h"
#include "engine/model/config.h"
#include "engine/model/source.h"
#include "engine/open_decoder.h"
#include "engine/ops/op_context.h"

namespace micius {
namespace {

std::size_t length_of(const SpeedTest& test) { return test.depth + test.prompt + test.generated; }

void check(const SpeedTest& test, const ModelConfig& config) {
  if (test.tokens() == 0) fail(ErrorCode::kUsage, "a speed test needs tokens to read or to generate");
  if (const std::size_t length = length_of(test); length > config.context) {
    fail(ErrorCode::kUsage, "{} tokens are more than the model's context of {}", length, config.context);
  }
}

}  // namespace

struct SpeedBench::Loaded {
  Loaded(const std::filesystem::path& model, const EngineOptions& options,
         const std::vector<SpeedTest>& tests, std::unique_ptr<Device> device)
      : source(open_source(model)),
        pool(thread_count(options.threads)),
        context{options.isa.value_or(best_isa()), pool, scratch},
        config(config_from(*source)),
        kv_bytes(kv_bytes_of(tests, options.numerics, device.get())),
        opened(open(options, tests, std::move(device))),
        kv(opened.decoder->make_kv_pool(kv_bytes)),
        batch(options.batch_tokens),
        selection(options.selection),
        info(engine_info(*source, *opened.decoder, context)),
        rng("bench") {
    if (opened.device == nullptr) return;
    info.gpu = opened.device->figures().name;
    info.matrix_library = opened.device->figures().matrix_library;
  }

  // Of the largest test, and a page that a pool may need besides.
  std::size_t kv_bytes_of(const std::vector<SpeedTest>& tests, Numerics numerics,
                          const Device* device) const {
    std::size_t blocks = 0;
    for (const SpeedTest& test : tests) {
      check(test, config);
      blocks = std::max(blocks, KvPool::blocks_for(length_of(test)) * test.sequences);
    }
    return (blocks + 1) * kv_block_bytes(config, numerics, device);
  }

  OpenDecoder open(EngineOptions options, const std::vector<SpeedTest>& tests,
                   std::unique_ptr<Device> device) const {
    options.kv_memory = kv_bytes;
    if (device != nullptr) check_room(options, tests, *device);
    return {*source, config, options, context, std::move(device)};
  }

  // A bench's batches are not made smaller.
  void check_room(const EngineOptions& options, const std::vector<SpeedTest>& tests,
                  const Device& device) const {
    std::size_t sequences = 0;
    for (const SpeedTest& test : tests) sequences = std::max(sequences, test.sequences);
    const std::size_t tokens = std::max(options.batch_tokens, sequences);
    const GpuNeeds needs =
        gpu_needs(*source, config, {kv_bytes, options.selection, sequences}, device.figures());
    if (const std::size_t room = fitting_batch(needs, tokens, *source, device); room < tokens) {
      fail(ErrorCode::kIo, "the GPU has no room for batches of {} tokens beside the tests' cache; give {} {}",
           tokens, room < sequences ? "-s" : "-b", room);
    }
  }

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
    opened.decoder->forward(slices, wanted);
    opened.decoder->logits(0, sequences.size());
  }

  double seconds_of(const SpeedTest& test) {
    std::vector<KvSequence> sequences;
    for (std::size_t i = 0; i < test.sequences; ++i) sequences.emplace_back(*kv);
    forward(sequences, test.depth);
    return opened.seconds_of([&] {
      forward(sequences, test.prompt);
      for (std::size_t i = 0; i < test.generated; ++i) step(sequences, 1);
    });
  }

  std::unique_ptr<ModelSource> source;
  ThreadPool pool;
  Scratch scratch;
  OpContext context;
  ModelConfig config;
  std::size_t kv_bytes;
  OpenDecoder opened;
  std::unique_ptr<KvPool> kv;
  std::size_t batch;
  ValueSelection selection;
  EngineInfo info;
  Rng rng;
  std::vector<TokenId> ids;
};

SpeedBench::SpeedBench(const std::filesystem::path& model, const EngineOptions& options,
                       const std::vector<SpeedTest>& tests)
    : SpeedBench(model, options, tests, open_device(options.device)) {}

SpeedBench::SpeedBench(const std::filesystem::path& model, const EngineOptions& options,
                       const std::vector<SpeedTest>& tests, std::unique_ptr<Device> device)
    : loaded_(std::make_unique<Loaded>(model, options, tests, std::move(device))) {}

SpeedBench::~SpeedBench() = default;

const EngineInfo& SpeedBench::info() const { return loaded_->info; }

std::vector<double> SpeedBench::run(const SpeedTest& test, int repeats) {
  SpeedTest warm_up{std::min<std::size_t>(test.prompt, loaded_->batch),
                    std::min<std::size_t>(test.generated, 1), 0, test.sequences};
  loaded_->seconds_of(warm_up);
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) seconds.push_back(loaded_->seconds_of(test));
  return seconds;
}

}  // namespace micius
