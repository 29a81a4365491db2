// What scorers are lent beside their parameters: the sandbox and the embedder.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "cli/places.h"
#include "core/services.h"
#include "sandbox/sandbox.h"

namespace micius {

// Starts nothing before the first use.
class LazyServices final : public Services {
 public:
  // `threads`: programs that run at the same time, and threads of the embedder; 0: as many as the machine has
  // threads.
  LazyServices(int threads, PlaceFlags places) : threads_(threads), places_(std::move(places)) {}
  Offer<Sandbox> sandbox() override;
  Offer<Embedder> embedder() override;

 private:
  const int threads_;
  const PlaceFlags places_;
  std::once_flag sandbox_made_;
  SandboxOffer sandbox_;
  std::once_flag embedder_made_;
  std::unique_ptr<Embedder> embedder_;
  std::string no_embedder_;  // why there is none
};

// The sandbox as this program has it.
SandboxOffer open_sandbox(int threads);

}  // namespace micius
