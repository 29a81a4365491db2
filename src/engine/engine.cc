#include "engine/engine.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "engine/kv_cache.h"
#include "engine/model/config.h"
#include "engine/model/source.h"
#include "engine/open_decoder.h"
#include "engine/ops/op_context.h"

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

}  // namespace

struct Engine::Loaded {
  Loaded(const std::filesystem::path& file, const EngineOptions& wanted)
      : path(file),
        options(wanted),
        source(open_source(file)),
        tokenizer(source->tokenizer()),
        chat_template(source->chat_template()),
        pool(thread_count(wanted.threads)),
        context{wanted.isa.value_or(best_isa()), pool, scratch},
        config(checked_config(*source, tokenizer)),
        model(*source, config, options, context),
        kv(model.decoder->make_kv_pool(options.kv_memory == 0 ? kDefaultKvMemory : options.kv_memory)),
        scheduler(*model.decoder, tokenizer, context, *kv,
                  {std::max<std::size_t>(options.batch_tokens, 1), options.selection, options.beginnings}),
        info(engine_info(*source, *model.decoder, context)) {
    if (info.name.empty()) info.name = file.stem().string();
    info.gpu = model.gpu;
  }

  std::filesystem::path path;
  EngineOptions options;
  std::unique_ptr<ModelSource> source;  // an embedding that is not the head stays in its file
  Tokenizer tokenizer;
  std::string chat_template;
  ThreadPool pool;
  Scratch scratch;
  OpContext context;
  ModelConfig config;
  OpenDecoder model;
  std::unique_ptr<KvPool> kv;
  Scheduler scheduler;
  EngineInfo info;
  std::uint64_t next_job = 0;
};

Engine::Engine(const std::filesystem::path& model, const EngineOptions& options)
    : loaded_(std::make_unique<Loaded>(model, options)) {}

Engine::~Engine() = default;

const EngineInfo& Engine::info() const { return loaded_->info; }
const EngineOptions& Engine::options() const { return loaded_->options; }
const std::filesystem::path& Engine::path() const { return loaded_->path; }
const Tokenizer& Engine::tokenizer() const { return loaded_->tokenizer; }
const std::string& Engine::chat_template() const { return loaded_->chat_template; }

std::string Engine::sha256() const { return model_sha256(*loaded_->source); }

JobId Engine::add(Job job) {
  const JobId id{loaded_->next_job++};
  loaded_->scheduler.add(id, std::move(job));
  return id;
}

void Engine::cancel(JobId id) { loaded_->scheduler.cancel(id); }
bool Engine::idle() const { return loaded_->scheduler.idle(); }
StepResult Engine::step() { return loaded_->scheduler.step(); }

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
