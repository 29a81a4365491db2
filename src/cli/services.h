// What scorers are lent beside their parameters: the sandbox.
#pragma once

#include <mutex>

#include "core/services.h"
#include "sandbox/sandbox.h"

namespace micius {

// Starts nothing before the first use.
class LazyServices final : public Services {
 public:
  // `threads`: programs that run at the same time; 0: as many as the machine has threads.
  explicit LazyServices(int threads) : threads_(threads) {}
  Offer<Sandbox> sandbox() override;
  Offer<Embedder> embedder() override;

 private:
  const int threads_;
  std::once_flag sandbox_made_;
  SandboxOffer sandbox_;
};

// The sandbox as this program has it.
SandboxOffer open_sandbox(int threads);

}  // namespace micius
