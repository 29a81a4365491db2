#include "engine/replicas.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/device/device.h"
#include "engine/kv_cache.h"
#include "engine/open_decoder.h"
#include "engine/ops/op_context.h"

namespace micius {
namespace {

template <typename T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::move_iterator(from.begin()), std::move_iterator(from.end()));
}

}  // namespace

struct Replicas::Replica {
  Replica(const ModelSource& source, const ModelConfig& config, const Tokenizer& tokenizer,
          const EngineOptions& options, std::unique_ptr<Device> device, int threads)
      : pool(threads),
        context{options.isa.value_or(best_isa()), pool, scratch},
        model(source, config, options, context, std::move(device)),
        kv(model.decoder->make_kv_pool(options.kv_memory)),
        scheduler(*model.decoder, tokenizer, context, *kv,
                  {model.batch_tokens, options.selection, options.beginnings}) {}

  ThreadPool pool;
  Scratch scratch;
  OpContext context;
  OpenDecoder model;
  std::unique_ptr<KvPool> kv;
  Scheduler scheduler;
  std::size_t jobs = 0;  // that have not ended
};

Replicas::Replicas(const ModelSource& source, const ModelConfig& config, const Tokenizer& tokenizer,
                   const EngineOptions& options, std::vector<std::unique_ptr<Device>> devices)
    : replicas_(devices.size()), pool_(static_cast<int>(devices.size())) {
  const int threads = std::max(thread_count(options.threads) / pool_.threads(), 1);
  pool_.run(devices.size(), [&](std::size_t i, int) {
    replicas_[i] =
        std::make_unique<Replica>(source, config, tokenizer, options, std::move(devices[i]), threads);
  });
}

Replicas::~Replicas() = default;

EngineInfo Replicas::info(const ModelSource& source) const {
  const Replica& first = *replicas_.front();
  EngineInfo info = engine_info(source, *first.model.decoder, first.context);
  info.replicas = size();
  info.threads *= pool_.threads();
  if (first.model.device != nullptr) {
    std::vector<std::string> names;
    for (const auto& replica : replicas_) names.push_back(replica->model.device->figures().name);
    info.gpu = gpu_names(names);
    info.matrix_library = first.model.device->figures().matrix_library;
  }
  return info;
}

void Replicas::add(JobId id, Job job) {
  const auto fewest =
      std::min_element(replicas_.begin(), replicas_.end(),
                       [](const auto& left, const auto& right) { return left->jobs < right->jobs; });
  Replica& replica = **fewest;
  replica.scheduler.add(id, std::move(job));
  open_[id] = &replica;
  ++replica.jobs;
}

void Replicas::cancel(JobId id) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  found->second->scheduler.cancel(id);
  --found->second->jobs;
  open_.erase(found);
}

StepResult Replicas::step() {
  std::vector<StepResult> results(size());
  pool_.run(size(), [&](std::size_t i, int) { results[i] = replicas_[i]->scheduler.step(); });
  StepResult all;
  for (StepResult& result : results) {
    append(all.tokens, result.tokens);
    append(all.first_tokens, result.first_tokens);
    append(all.finished, result.finished);
  }
  for (const JobResult& result : all.finished) {
    --open_.at(result.id)->jobs;
    open_.erase(result.id);
  }
  return all;
}

}  // namespace micius
