// How fast a model's forward pass is, by llama-bench's protocol: random tokens, no sampling; the last token's
// logits of each batch are made.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <vector>

#include "engine/engine.h"

namespace micius {

class Device;

// `prompt` tokens read in batches, then `generated` tokens one at a time, behind `depth` tokens that are not
// timed; of `sequences` sequences at once, each with its own cache.
struct SpeedTest {
  std::size_t prompt = 0, generated = 0, depth = 0;
  std::size_t sequences = 1;

  std::size_t tokens() const { return (prompt + generated) * sequences; }
  bool operator==(const SpeedTest&) const = default;
};

// On the CPU, or the first GPU, whose clock the times then are of.
class SpeedBench {
 public:
  // options.kv_memory is not looked at: the cache is what the largest of `tests` needs. Throws as Engine
  // does, Error{kUsage} for a test that is longer than the model's context or has no tokens, Error{kIo} where
  // a GPU has no room for cache and batch; a model needs no tokenizer.
  SpeedBench(const std::filesystem::path& model, const EngineOptions& options,
             const std::vector<SpeedTest>& tests);
  // On this device whatever options.device is; a null is the CPU.
  SpeedBench(const std::filesystem::path& model, const EngineOptions& options,
             const std::vector<SpeedTest>& tests, std::unique_ptr<Device> device);
  ~SpeedBench();
  SpeedBench(const SpeedBench&) = delete;
  SpeedBench& operator=(const SpeedBench&) = delete;

  const EngineInfo& info() const;
  // Seconds of each of `repeats` runs, after one that warms up, of one of the tests. Throws Error{kIo} if
  // memory is short.
  std::vector<double> run(const SpeedTest& test, int repeats);

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace micius
