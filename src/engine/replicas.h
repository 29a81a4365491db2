// A model on one or several devices: each has the weights, a cache and a scheduler of its own, and jobs are
// shared out among them.
//
// A step runs one batch on every device at once and ends with the last of them. As long as jobs wait, all
// batches are full, so that they end nearly together. A job's result is that of one device, but for what
// the decoder's results depend on other rows: on GPUs rounding.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/model/config.h"
#include "engine/model/source.h"
#include "engine/scheduler.h"
#include "engine/thread_pool.h"

namespace micius {

class Device;

// For one thread at a time. Borrows source and tokenizer.
class Replicas {
 public:
  // One on each device, a null being the CPU; they share options.threads, and each has options.kv_memory.
  // Throws as OpenDecoder does.
  Replicas(const ModelSource& source, const ModelConfig& config, const Tokenizer& tokenizer,
           const EngineOptions& options, std::vector<std::unique_ptr<Device>> devices);
  ~Replicas();

  std::size_t size() const { return replicas_.size(); }
  EngineInfo info(const ModelSource& source) const;

  // As the scheduler's. A job goes to the device that has the fewest.
  void add(JobId id, Job job);
  void cancel(JobId id);
  bool idle() const { return open_.empty(); }
  // What all devices gave, in their order. If one throws, all jobs are lost.
  StepResult step();

 private:
  struct Replica;

  std::vector<std::unique_ptr<Replica>> replicas_;
  std::map<JobId, Replica*> open_;
  ThreadPool pool_;  // a thread for each
};

}  // namespace micius
