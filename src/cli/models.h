// From what a user writes after --model to a runner.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/places.h"
#include "core/manifest.h"
#include "engine/encoder.h"
#include "engine/engine.h"
#include "runners/registry.h"

namespace micius {

class Flags;
class Log;

inline constexpr const char* kDefaultEncoder = "all-minilm-l6-v2";  // of the manifest

// The flags of the built-in engine.
struct EngineFlags {
  std::string numerics = "precise", selective_v = "off";
  std::string device = "cpu";
  int threads = 0;  // 0: as many as the machine has
  int batch_tokens = 512;
  std::uint64_t kv_memory = std::uint64_t{2} << 30;
};

void add_engine_flags(Flags& flags, EngineFlags& values);
// Of those, what changes no answer, but for rounding on a GPU: also for runs that go on, whose spec says all
// else.
void add_engine_speed_flags(Flags& flags, EngineFlags& values);
void add_encoder_flags(Flags& flags, EngineFlags& values);  // of the last, what an encoder has

Manifest model_manifest();
// The manifest's models and the .gguf files of the model folder: name, licence, bytes, here, note.
Json list_models(const PlaceFlags& places);

// The file of a model that the engine runs: a path (it has a slash or ends in .gguf), a name of the manifest,
// or NAME.gguf in the model folder. Throws Error{kNotFound} with the `model fetch` to type, or with the
// nearest name.
std::filesystem::path find_model_file(const std::string& model, const PlaceFlags& places);

// What the model in `file` is called: as the user named it, a path by the name of its file or folder.
std::string name_of_model(const std::string& model, const std::filesystem::path& file);

// The folder of an encoder, which turns texts into vectors: a path, or a name of the manifest. Throws as
// find_model_file() does.
std::filesystem::path find_encoder_folder(const std::string& model, const PlaceFlags& places);

// What MICIUS_ISA names; absent if it is not set. Throws Error for a set that cannot be used.
std::optional<Isa> isa_of_environment();

// With isa_of_environment(). Where `auto` finds no GPU in a build that could use one, `log` hears of it, if
// there is one. Throws Error{kUsage} for a device that there is not.
EngineOptions engine_options(const EngineFlags& flags, Log* log);
EncoderOptions encoder_options(const EngineFlags& flags, Log* log);

bool is_encoder(const ManifestEntry& entry);

// What `resume` is to be given for this model: an absolute path for a path, the name with its address for a
// remote one, else the name.
std::string model_source(const std::string& model, const ApiSettings& api);

// The models of all values, each once, in the order of their first; commas separate them, but
// scripted:constant:TEXT takes the rest of its value.
std::vector<std::string> split_models(const std::vector<std::string>& values);

// Throws as open_model() does for a model that is not there, without opening a file of weights.
void require_model(const std::string& model, const PlaceFlags& places, const RunnerContext& context);

// Whether the built-in engine runs it: no name of a runner.
bool is_engine_model(const std::string& model);

// Throws as find_model_file() does; `clock` must outlive the runner.
std::unique_ptr<Runner> open_engine_model(const std::string& model, const EngineOptions& options,
                                          const PlaceFlags& places, const Clock& clock);

// `context` must outlive the runner.
std::unique_ptr<Runner> open_model(const std::string& model, const EngineFlags& flags,
                                   const PlaceFlags& places, const RunnerContext& context);

}  // namespace micius
