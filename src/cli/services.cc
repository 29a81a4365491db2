#include "cli/services.h"

#include <filesystem>

#include "cli/places.h"

namespace micius {

SandboxOffer open_sandbox(int threads) {
  SandboxOptions options;
  options.box_program = inner_program("micius-box");
  options.client_program = inner_program("micius-emu");
  if (!std::filesystem::exists(options.client_program)) options.client_program.clear();
  options.lanes = threads;
  return make_sandbox(options);
}

Offer<Sandbox> LazyServices::sandbox() {
  std::call_once(sandbox_made_, [&] { sandbox_ = open_sandbox(threads_); });
  return {sandbox_.sandbox.get(), sandbox_.why_not};
}

Offer<Embedder> LazyServices::embedder() { return {nullptr, "this build has no embedder"}; }

}  // namespace micius
