// `micius serve`: the engine behind OpenAI's API, for other programs and machines.
#include <memory>
#include <random>
#include <stop_token>
#include <string>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/environment.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/secrets.h"
#include "cli/signals.h"
#include "embed/engine_embedder.h"
#include "serve/server.h"

namespace micius {
namespace {

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// The value of the variable `name`, which must be there.
std::string key_of(const std::string& name) {
  if (name.empty()) return "";
  std::string key = environment_text(name);
  if (key.empty())
    fail(ErrorCode::kUsage, "--api-key-env: the variable {} is not set; it holds the key that clients send",
         name);
  forbid_dumps();
  return key;
}

class ServeCommand final : public Command {
 public:
  std::string name() const override { return "serve"; }
  std::string summary() const override {
    return "A model behind OpenAI's API: chat, completions, embeddings";
  }

  void define(Flags& flags) override {
    flags
        .add("--model", model_,
             "A model of the manifest, of the model folder, a GGUF file, or a folder with safetensors")
        .required();
    flags
        .add("--embedding-model", embedding_model_,
             fmt::format("An encoder, for /v1/embeddings (default: {}, where it is there)", kDefaultEncoder))
        .type("MODEL");
    flags.add("--host", options_.host, "Address to listen on; 0.0.0.0: all of this machine").show_default();
    flags.add("--port", options_.port, "0: a free one, named on stderr").in_range(0, 65535).show_default();
    flags.add("--api-key-env", key_variable_, "The variable with the key that clients must send")
        .type("NAME");
    flags.add("--max-queue", most_requests_, "Requests at work or waiting; one more is refused with 429")
        .in_range(1, 1000)
        .show_default();
    flags.add("--numerics", flags_.numerics, "fp32 (exact, slow), precise, or fast (8-bit)")
        .one_of({"fp32", "precise", "fast"})
        .show_default();
    add_engine_speed_flags(flags, flags_);
    add_model_dir_flag(flags, places_);
  }

  ExitCode run() override {
    const InterruptGuard interrupts;
    options_.key = key_of(key_variable_);
    options_.connections = most_requests_ + kSpareConnections;
    const std::filesystem::path file = find_model_file(model_, places_);
    const std::unique_ptr<Embedder> embedder = open_embedder();
    ConsoleLog log(ConsoleLog::Level::kWarnings);
    Engine engine(file, engine_options(flags_, &log));
    const SystemClock clock;
    std::random_device random;
    const std::string name = name_of_model(model_, file);
    Service service(
        engine, embedder.get(),
        {name, embedder_name_, most_requests_, fmt::format("serve/{:08x}{:08x}", random(), random())}, clock);
    ApiServer server(service, options_);
    if (options_.key.empty() && !is_loopback(options_.host)) {
      fmt::print(stderr,
                 "micius: warning: who reaches {} may use this server; give --api-key-env to ask for a key\n",
                 options_.host);
    }
    fmt::print(stderr, "micius: {} is served at http://{}:{}/v1; Ctrl-C stops when what runs has ended\n",
               name, options_.host.find(':') == std::string::npos ? options_.host : "[" + options_.host + "]",
               server.port());
    const std::stop_callback stop(interrupts.token(), [&] { server.stop(); });
    server.run();
    return ExitCode::kGood;
  }

 private:
  static constexpr std::size_t kSpareConnections = 32;  // for what is refused or asks for less

  // On the device of the model, which warns where that is not what was asked for.
  std::unique_ptr<Embedder> open_embedder() {
    const bool is_asked = !embedding_model_.empty();
    const std::string model = is_asked ? embedding_model_ : kDefaultEncoder;
    const Manifest manifest = model_manifest();
    if (!is_asked && !is_there(manifest.get(model, "model"), model_root(places_))) return nullptr;
    const std::filesystem::path folder = find_encoder_folder(model, places_);
    embedder_name_ = name_of_model(model, folder);
    return std::make_unique<EngineEmbedder>(folder, encoder_options(flags_, nullptr));
  }

  std::string model_, embedding_model_, embedder_name_, key_variable_;
  std::size_t most_requests_ = 64;
  ServerOptions options_;
  EngineFlags flags_;
  PlaceFlags places_;
};

}  // namespace

std::unique_ptr<Command> make_serve_command() { return std::make_unique<ServeCommand>(); }

}  // namespace micius
