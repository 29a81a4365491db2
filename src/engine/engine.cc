#include "engine/engine.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "engine/device/device.h"
#include "engine/model/config.h"
#include "engine/model/source.h"
#include "engine/open_decoder.h"
#include "engine/replicas.h"

namespace micius {
namespace {

constexpr std::size_t kDefaultKvMemory = std::size_t{2} << 30;

ModelConfig checked_config(const ModelSource& source, const Tokenizer& tokenizer) {
  ModelConfig config = config_from(source);
  if (config.vocabulary < tokenizer.size()) {
    fail(ErrorCode::kInvalidData, "{}: tensor '{}' has {} rows for {} tokens", source.file(),
         source.tensor_name("token_embd.weight"), config.vocabulary, tokenizer.size());
  }
  return config;
}

EngineOptions completed(EngineOptions options) {
  if (options.kv_memory == 0) options.kv_memory = kDefaultKvMemory;
  options.batch_tokens = std::max<std::size_t>(options.batch_tokens, 1);
  return options;
}

}  // namespace

struct Engine::Loaded {
  Loaded(const std::filesystem::path& file, const EngineOptions& wanted,
         std::vector<std::unique_ptr<Device>> devices)
      : path(file),
        options(completed(wanted)),
        source(open_source(file)),
        tokenizer(source->tokenizer()),
        chat_template(source->chat_template()),
        config(checked_config(*source, tokenizer)),
        replicas(*source, config, tokenizer, options, std::move(devices)),
        info(replicas.info(*source)) {
    if (info.name.empty()) info.name = file.stem().string();
  }

  std::filesystem::path path;
  EngineOptions options;
  std::unique_ptr<ModelSource> source;  // an embedding that is not the head stays in its file
  Tokenizer tokenizer;
  std::string chat_template;
  ModelConfig config;
  Replicas replicas;
  EngineInfo info;
  std::uint64_t next_job = 0;
};

Engine::Engine(const std::filesystem::path& model, const EngineOptions& options)
    : Engine(model, options, open_devices(options.device)) {}

Engine::Engine(const std::filesystem::path& model, const EngineOptions& options,
               std::vector<std::unique_ptr<Device>> devices)
    : loaded_(std::make_unique<Loaded>(model, options, std::move(devices))) {}

Engine::~Engine() = default;

const EngineInfo& Engine::info() const { return loaded_->info; }
const EngineOptions& Engine::options() const { return loaded_->options; }
const std::filesystem::path& Engine::path() const { return loaded_->path; }
const Tokenizer& Engine::tokenizer() const { return loaded_->tokenizer; }
const std::string& Engine::chat_template() const { return loaded_->chat_template; }

std::string Engine::sha256() const { return model_sha256(*loaded_->source); }

JobId Engine::add(Job job) {
  const JobId id{loaded_->next_job++};
  loaded_->replicas.add(id, std::move(job));
  return id;
}

void Engine::cancel(JobId id) { loaded_->replicas.cancel(id); }
bool Engine::idle() const { return loaded_->replicas.idle(); }
StepResult Engine::step() { return loaded_->replicas.step(); }

std::string selection_name(const ValueSelection& selection) {
  if (selection.top == 0) return "off";
  return fmt::format("{}{}", selection.top, selection.weights == SelectedWeights::kRaw ? ",raw" : "");
}

ValueSelection selection_from(std::string_view name) {
  ValueSelection selection;
  if (name == "off") return selection;
  const std::size_t comma = std::min(name.find(','), name.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + comma, selection.top);
  const bool number = error == std::errc() && end == name.data() + comma && selection.top > 0;
  const std::string_view rest = name.substr(comma);
  if (!number || (!rest.empty() && rest != ",raw")) {
    fail(ErrorCode::kUsage,
         "selective V is a number of values above 0, perhaps with ',raw', or off; not '{}'", name);
  }
  if (!rest.empty()) selection.weights = SelectedWeights::kRaw;
  return selection;
}

std::string_view numerics_name(Numerics numerics) {
  constexpr std::string_view kNames[] = {"fp32", "precise", "fast"};
  return kNames[static_cast<std::size_t>(numerics)];
}

Numerics numerics_from(std::string_view name) {
  for (const Numerics numerics : {Numerics::kFp32, Numerics::kPrecise, Numerics::kFast}) {
    if (name == numerics_name(numerics)) return numerics;
  }
  fail(ErrorCode::kUsage, "unknown numerics '{}'; there are fp32, precise and fast", name);
}

}  // namespace micius
