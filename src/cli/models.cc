#include "cli/models.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "cli/environment.h"
#include "cli/flags.h"
#include "engine/gpu.h"
#include "runners/engine_runner.h"
#include "runners/model_name.h"
#include "store/open_store.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// A kind of the runner registry, alone or before a colon: "reference", "replay:12".
bool names_a_runner(const std::string& model) {
  return runner_registry().find(split_model(model).kind) != nullptr;
}

bool is_model_path(const std::string& model) {
  return !names_a_runner(model) && (model.find('/') != std::string::npos || model.ends_with(".gguf"));
}

// The first file of a model that is there whole.
fs::path first_file(const ManifestEntry& entry, const PlaceFlags& places) {
  const fs::path root = model_root(places);
  if (!is_there(entry, root)) {
    fail(ErrorCode::kNotFound, "the model '{}' is not in {}; get it: micius model fetch {}{}", entry.name,
         root.string(), entry.name, model_dir_words(places));
  }
  return root / entry.files.front().path;
}

// A file without its ending, a folder as it is.
std::string name_of(const fs::path& model) {
  const fs::path whole = fs::absolute(model).lexically_normal();
  if (!fs::is_directory(whole)) return whole.stem().string();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

EngineDevice device_from(const std::string& name, Log* log) {
  if (name == "cpu") return EngineDevice::kCpu;
  if (name != "cuda" && name != "auto")
    fail(ErrorCode::kUsage, "unknown device '{}'; there are auto, cpu, cuda", name);
  const GpuSurvey survey = survey_gpus();
  if (!survey.gpus.empty()) return EngineDevice::kCuda;
  if (name == "cuda") fail(ErrorCode::kUsage, "no GPU: {}; use --device cpu", survey.problem);
  if (survey.built && log != nullptr)
    log->warning(fmt::format("no GPU: {}; the CPU runs the model", survey.problem));
  return EngineDevice::kCpu;
}

void add_device_flag(Flags& flags, EngineFlags& values, const std::string& help) {
  flags.add("--device", values.device, help).one_of({"auto", "cpu", "cuda"}).show_default();
}

void add_thread_flags(Flags& flags, EngineFlags& values) {
  flags.add("--threads", values.threads, "Of the engine; 0: as many as the machine has")
      .at_least(0)
      .show_default();
  flags.add("--batch-tokens", values.batch_tokens, "Tokens that the engine forwards at once")
      .at_least(1)
      .show_default();
}

}  // namespace

void add_encoder_flags(Flags& flags, EngineFlags& values) {
  add_device_flag(flags, values, "cpu; cuda: the first GPU of this machine; auto: it, or else the CPU");
  add_thread_flags(flags, values);
}

void add_engine_speed_flags(Flags& flags, EngineFlags& values) {
  add_device_flag(flags, values,
                  "cpu; cuda: the GPUs of this machine; auto: them, or the CPU where there are none");
  add_thread_flags(flags, values);
  flags.add("--kv-memory", values.kv_memory, "Bytes for the KV cache, of each GPU (suffixes: MB, GB)")
      .byte_size()
      .type("BYTES")
      .show_default();
}

void add_engine_flags(Flags& flags, EngineFlags& values) {
  flags
      .add("--numerics", values.numerics,
           "Of the engine: fp32 (exact, slow), precise, or fast (8-bit activations and cache)")
      .one_of({"fp32", "precise", "fast"})
      .show_default();
  flags
      .add("--selective-v", values.selective_v,
           "Written tokens take the K values of highest score alone; raw: weights as over all")
      .type("K[,raw]")
      .show_default();
  add_engine_speed_flags(flags, values);
}

Json list_models(const PlaceFlags& places) {
  const fs::path root = model_root(places);
  Json rows = Json::array();
  for (const ManifestEntry& entry : model_manifest().entries) {
    std::uint64_t bytes = 0;
    for (const ManifestFile& file : entry.files) bytes += file.bytes.value_or(0);
    rows.push_back({{"name", entry.name},
                    {"licence", entry.licence},
                    {"bytes", bytes},
                    {"here", is_there(entry, root)},
                    {"note", entry.note}});
  }
  std::error_code none;
  for (const auto& file : fs::directory_iterator(root, none)) {
    if (file.path().extension() != ".gguf") continue;
    rows.push_back({{"name", file.path().stem().string()},
                    {"licence", ""},
                    {"bytes", file.file_size(none)},
                    {"here", true},
                    {"note", "a file of the model folder"}});
  }
  return rows;
}

Manifest model_manifest() { return read_manifest(share_root() / "runners/models.json"); }

fs::path find_model_file(const std::string& model, const PlaceFlags& places) {
  if (is_model_path(model)) {
    if (!fs::exists(model)) fail(ErrorCode::kNotFound, "{}: no such model file", model);
    return model;
  }
  const fs::path root = model_root(places);
  const Manifest manifest = model_manifest();
  if (const ManifestEntry* entry = manifest.find(model)) {
    if (is_encoder(*entry)) {
      fail(ErrorCode::kUsage,
           "the model '{}' turns texts into vectors and cannot answer; it is run by `micius engine embed`",
           model);
    }
    return first_file(*entry, places);
  }
  if (fs::path file = root / (model + ".gguf"); fs::exists(file)) return file;
  if (names_a_runner(model)) {
    fail(ErrorCode::kUsage,
         "'{}' is no model of the engine, only `micius run` takes it; `micius list models` shows those that "
         "are",
         model);
  }
  std::vector<std::string> names;
  for (const ManifestEntry& entry : manifest.entries) names.push_back(entry.name);
  for (const auto& runner : runner_registry().entries()) names.push_back(runner.name);
  fail(ErrorCode::kUsage,
       "unknown model '{}'{}; `micius list models` shows them, a file needs a slash or .gguf", model,
       did_you_mean(model, names));
}

std::string name_of_model(const std::string& model, const fs::path& file) {
  return is_model_path(model) ? name_of(file) : model;
}

std::string model_source(const std::string& model, const ApiSettings& api) {
  const ModelName name = split_model(model);
  if (const auto kind = api_kind_from(name.kind); kind && name.argument)
    return name.kind + ":" + api_source(*kind, *name.argument, api);
  return is_model_path(model) ? fs::absolute(model).string() : model;
}

std::optional<Isa> isa_of_environment() {
  const std::string isa = environment_text("MICIUS_ISA");
  if (isa.empty()) return std::nullopt;
  return isa_from(isa);
}

EngineOptions engine_options(const EngineFlags& flags, Log* log) {
  EngineOptions options;
  options.device = device_from(flags.device, log);
  options.numerics = numerics_from(flags.numerics);
  options.selection = selection_from(flags.selective_v);
  options.isa = isa_of_environment();
  options.threads = flags.threads;
  options.batch_tokens = static_cast<std::size_t>(flags.batch_tokens);
  options.kv_memory = flags.kv_memory;
  return options;
}

EncoderOptions encoder_options(const EngineFlags& flags, Log* log) {
  return {isa_of_environment(), flags.threads, static_cast<std::size_t>(flags.batch_tokens),
          device_from(flags.device, log)};
}

bool is_encoder(const ManifestEntry& entry) { return entry.files.front().path.ends_with(".safetensors"); }

fs::path find_encoder_folder(const std::string& model, const PlaceFlags& places) {
  if (is_model_path(model)) {
    if (!fs::is_directory(model)) fail(ErrorCode::kNotFound, "{}: no such folder; an encoder is one", model);
    return model;
  }
  const Manifest manifest = model_manifest();
  const ManifestEntry& entry = manifest.get(model, "model");
  if (!is_encoder(entry)) {
    fail(ErrorCode::kUsage, "the model '{}' answers and gives no vectors; one that does: {}", model,
         kDefaultEncoder);
  }
  return first_file(entry, places).parent_path();
}

std::vector<std::string> split_models(const std::vector<std::string>& values) {
  std::vector<std::string> models;
  for (std::string_view rest : values) {
    while (!rest.empty()) {
      const std::size_t end = rest.starts_with("scripted:constant:") ? rest.npos : rest.find(',');
      const std::string_view model = rest.substr(0, end);
      if (std::find(models.begin(), models.end(), model) == models.end()) models.emplace_back(model);
      rest.remove_prefix(std::min(rest.size(), model.size() + 1));
    }
  }
  return models;
}

void require_model(const std::string& model, const PlaceFlags& places, const RunnerContext& context) {
  if (!names_a_runner(model)) {
    find_model_file(model, places);
  } else if (model.starts_with("replay:")) {
    const auto opened = open_store(places.db, OpenMode::kExisting, context.clock);
    const SqlStore& store = *opened;
    make_runner(model, {context.clock, &store});
  } else {
    make_runner(model, context);
  }
}

bool is_engine_model(const std::string& model) { return !names_a_runner(model); }

std::unique_ptr<Runner> open_engine_model(const std::string& model, const EngineOptions& options,
                                          const PlaceFlags& places, const Clock& clock) {
  const fs::path file = find_model_file(model, places);
  return make_engine_runner(file, name_of_model(model, file), options, clock);
}

std::unique_ptr<Runner> open_model(const std::string& model, const EngineFlags& flags,
                                   const PlaceFlags& places, const RunnerContext& context) {
  if (names_a_runner(model)) return make_runner(model, context);
  return open_engine_model(model, engine_options(flags, context.log), places, context.clock);
}

}  // namespace micius
