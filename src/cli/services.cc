#include "cli/services.h"

#include <filesystem>

#include "base/error.h"
#include "cli/models.h"
#include "cli/places.h"
#include "embed/engine_embedder.h"

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

Offer<Embedder> LazyServices::embedder() {
  std::call_once(embedder_made_, [&] {
    EngineFlags flags;
    flags.threads = threads_;
    try {
      embedder_ = std::make_unique<EngineEmbedder>(find_encoder_folder(kDefaultEncoder, places_),
                                                   encoder_options(flags));
    } catch (const Error& error) {
      no_embedder_ = error.what();
    }
  });
  return {embedder_.get(), no_embedder_};
}

}  // namespace micius
