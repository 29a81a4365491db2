// All that the outside may call of the engine: load a model, give it jobs, step.
//
//   Engine engine("model.gguf", {});
//   GenerateJob job;
//   job.prompt = encode_prompt(engine.tokenizer(), "GPU 0 is");
//   engine.add(std::move(job));
//   while (!engine.idle()) {
//     for (const JobResult& result : engine.step().finished) std::cout << result.text;
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cpu.h"
#include "engine/engine_device.h"
#include "engine/engine_info.h"
#include "engine/job.h"
#include "engine/ops/attention.h"
#include "engine/scheduler.h"
#include "engine/tensor.h"
#include "engine/tokenizer/tokenizer.h"

namespace micius {

class Device;

struct EngineOptions {
  // The first three of these may change an answer, the others do not.
  Numerics numerics = Numerics::kPrecise;
  ValueSelection selection = {};  // of what the model writes: tokens generated, continuations weighed
  EngineDevice device = EngineDevice::kCpu;  // of GPUs all; results differ between them by rounding
  std::optional<Isa> isa;                    // absent: the best that the machine has
  int threads = 0;                           // 0: one a core
  std::size_t batch_tokens = 512;            // most tokens of a step; a GPU with little memory takes fewer
  // Most bytes of KV cache, of each GPU; 0: 2 GiB. The CPU takes it as needed, GPUs at once.
  std::size_t kv_memory = 0;
  Beginnings beginnings = Beginnings::kShared;
};

// For one thread at a time; tokenizer() may be used by others meanwhile.
class Engine {
 public:
  // Throws Error{kNotFound | kInvalidData | kUnsupported} naming the file and what is wrong with it.
  // Error{kIo} with the numbers where a GPU has too little memory.
  Engine(const std::filesystem::path& model, const EngineOptions& options);
  // On these devices whatever options.device is; a null is the CPU.
  Engine(const std::filesystem::path& model, const EngineOptions& options,
         std::vector<std::unique_ptr<Device>> devices);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const EngineInfo& info() const;
  const EngineOptions& options() const;
  const std::filesystem::path& path() const;
  const Tokenizer& tokenizer() const;
  const std::string& chat_template() const;  // its source; empty where the model has none
  std::string sha256() const;                // of the model's files; reads them

  // The job's texts and ids are moved in. What cannot be done ends in a JobResult with a failure.
  JobId add(Job job);
  void cancel(JobId id);  // no result will come; nothing happens if one came already
  bool idle() const;      // no job is left
  // Runs one batch, on several GPUs one on each. Throws Error{kIo} if memory is short; the jobs are lost
  // then.
  StepResult step();

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

// "fp32", "precise"
// "100", "100,raw", or "off" for all values
std::string selection_name(const ValueSelection& selection);
ValueSelection selection_from(std::string_view name);  // throws Error{kUsage} with the form

std::string_view numerics_name(Numerics numerics);
Numerics numerics_from(std::string_view name);  // throws Error{kUsage} with the names

}  // namespace micius
