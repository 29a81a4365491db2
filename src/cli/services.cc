#include "cli/services.h"

#include <filesystem>

#include "base/error.h"
#include "cli/environment.h"
#include "cli/models.h"
#include "cli/places.h"
#include "cli/remote.h"
#include "embed/api_embedder.h"
#include "embed/engine_embedder.h"
#include "runners/api_endpoint.h"

namespace micius {
namespace {

std::unique_ptr<Embedder> open_api_embedder(const std::string& argument) {
  const ApiSettings settings = api_settings({});
  const ApiEndpoint endpoint = endpoint_of(ApiKind::kOpenAi, argument, settings);
  ApiEmbedderOptions options;
  options.url = endpoint.url;
  options.model = endpoint.model;
  options.key = endpoint.secret;
  options.user_agent = settings.user_agent;
  options.ca_file = settings.ca_file;
  return std::make_unique<ApiEmbedder>(options);
}

// The encoder that MICIUS_EMBEDDER names, one of the engine or openai:NAME@URL; the default without it. On
// the CPU, where a text's vector is the same bits whatever is asked with it: a score depends on its sample
// alone.
std::unique_ptr<Embedder> open_embedder(const PlaceFlags& places, int threads) {
  constexpr std::string_view kRemote = "openai:";
  std::string name = environment_text("MICIUS_EMBEDDER");
  if (name.empty()) name = kDefaultEncoder;
  if (name.starts_with(kRemote)) return open_api_embedder(name.substr(kRemote.size()));
  EngineFlags flags;
  flags.threads = threads;
  return std::make_unique<EngineEmbedder>(find_encoder_folder(name, places), encoder_options(flags, nullptr));
}

}  // namespace

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
    try {
      embedder_ = open_embedder(places_, threads_);
    } catch (const Error& error) {
      no_embedder_ = error.what();
    }
  });
  return {embedder_.get(), no_embedder_};
}

}  // namespace micius
