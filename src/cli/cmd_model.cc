// `micius model list|info|fetch|convert`.
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/fetch.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "engine/convert.h"
#include "engine/encoder.h"
#include "engine/model/source.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

class ModelCommand final : public Command {
 public:
  std::string name() const override { return "model"; }
  std::string summary() const override { return "Models: list, info, fetch, convert"; }
  void define(Flags& flags) override;
  ExitCode run() override { return action_(); }

 private:
  ExitCode list() const;
  ExitCode info() const;
  ExitCode fetch() const;
  ExitCode convert() const;

  PlaceFlags places_;
  std::string name_, format_ = "text", output_, type_ = "keep";
  std::function<ExitCode()> action_;
};

void ModelCommand::define(Flags& flags) {
  flags.require_verb();
  Flags list = flags.verb("list", "What the manifest has, and what is here",
                          [this] { action_ = [this] { return this->list(); }; });
  Flags info = flags.verb("info", "A model's source, licence, files and, where it is here, its shape",
                          [this] { action_ = [this] { return this->info(); }; });
  Flags fetch = flags.verb("fetch", "Get a model and check it; does nothing where it is here and good",
                           [this] { action_ = [this] { return this->fetch(); }; });
  Flags convert = flags.verb(
      "convert", "Write a model as a GGUF file, from a folder with safetensors or with other weights",
      [this] { action_ = [this] { return this->convert(); }; });
  for (Flags verb : {list, info, fetch, convert}) add_model_dir_flag(verb, places_);
  fetch.add("name", name_, "Name in the manifest").required().type("MODEL");
  for (Flags verb : {info, convert})
    verb.add("name", name_, "Name in the manifest, GGUF file or folder").required().type("MODEL");
  convert.add("-o,--output", output_, "The file to write").required().type("FILE");
  convert.add("--type", type_, "Of the weights: keep, F32, F16, BF16, Q8_0, Q6_K, Q4_K, Q4_1 or Q4_0")
      .show_default();
  list.add("--format", format_, "text or json").one_of({"text", "json"}).show_default();
}

ExitCode ModelCommand::list() const {
  const Json models = list_models(places_);
  if (format_ == "json") {
    std::cout << Json{{"schema", "micius.list/1"}, {"models", models}}.dump(2) << "\n";
    return ExitCode::kGood;
  }
  for (const Json& model : models) {
    fmt::print("{:<20} {:>9}  {:<12} {:<8} {}\n", model.at("name").get<std::string>(),
               format_bytes(model.at("bytes").get<std::uint64_t>()), model.at("licence").get<std::string>(),
               model.at("here").get<bool>() ? "here" : "-", model.at("note").get<std::string>());
  }
  return ExitCode::kGood;
}

// The shape of a model: its numbers, and how many tensors of which type it has.
std::string decoder_text(const fs::path& path) {
  const auto source = open_source(path);
  std::string text = fmt::format("architecture: {}\n", source->architecture());
  for (const char* key :
       {"block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
        "attention.head_count_kv", "attention.head_count_k", "attention.head_count_v", "attention.key_length",
        "attention.value_length", "attention.augmented_query_length", "vocab_size"}) {
    if (const auto value = source->integer_if(key)) text += fmt::format("{}: {}\n", key, *value);
  }
  std::map<std::string_view, std::size_t> types;
  for (const auto& [name, tensor] : source->tensors()) ++types[dtype_name(tensor.dtype)];
  text += fmt::format("parameters: {}\ntensors:", format_count(parameter_count(*source)));
  for (const auto& [type, count] : types) text += fmt::format(" {} {}", count, type);
  return text + "\n";
}

std::string encoder_text(const fs::path& folder) {
  const EncoderInfo info = Encoder(folder, {}).info();
  return fmt::format(
      "architecture: bert\nblock_count: {}\nembedding_length: {}\ncontext_length: {}\nvocab_size: "
      "{}\nparameters: {}\n",
      info.layers, info.dim, info.max_tokens + 2, info.vocabulary, format_count(info.parameters));
}

ExitCode ModelCommand::info() const {
  const Manifest manifest = model_manifest();
  const fs::path root = model_root(places_);
  if (const ManifestEntry* entry = manifest.find(name_)) {
    fmt::print("{}: {}\nlicence: {} ({})\n", entry->name, entry->note, entry->licence, entry->licence_url);
    for (const ManifestFile& file : entry->files) {
      fmt::print("file: {}\nsha256: {}\nbytes: {}\n", (root / file.path).string(), file.sha256,
                 file.bytes.value_or(0));
      if (const auto* pip = std::get_if<PipSource>(&file.source)) {
        fmt::print("source: {} of the Python package {}\n", pip->member, pip->package);
      }
    }
    if (!is_there(*entry, root)) {
      fmt::print("not here: `micius model fetch {}` gets it\n", name_);
      return ExitCode::kGood;
    }
    if (is_encoder(*entry)) {
      fmt::print("{}", encoder_text(find_encoder_folder(name_, places_)));
      return ExitCode::kGood;
    }
  }
  fmt::print("{}", decoder_text(find_model_file(name_, places_)));
  return ExitCode::kGood;
}

ExitCode ModelCommand::fetch() const {
  const Manifest manifest = model_manifest();
  ConsoleLog log(ConsoleLog::Level::kWarnings);
  const Fetched fetched =
      Fetcher(model_root(places_), log).fetch(manifest.get(name_, "model"), "micius model fetch " + name_);
  print_here(fetched);
  if (!fetched.by_user.empty()) fail(ErrorCode::kNotFound, "{}", fetched.by_user.front());
  return ExitCode::kGood;
}

ExitCode ModelCommand::convert() const {
  const std::optional<DType> dtype = type_ == "keep" ? std::nullopt : std::optional(dtype_from(type_));
  const fs::path path = find_model_file(name_, places_);
  const auto source = open_source(path);
  if (fs::exists(output_) && fs::equivalent(path, output_)) {
    fail(ErrorCode::kUsage, "{}: would be written over itself; give -o another name", output_);
  }
  ThreadPool pool(thread_count(0));
  write_file_atomic(output_, [&](const ByteSink& sink) { write_gguf(*source, dtype, pool, sink); });
  fmt::print("{}: {}, was {}\n", output_, format_bytes(fs::file_size(output_)),
             format_bytes(source->bytes()));
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_model_command() { return std::make_unique<ModelCommand>(); }

}  // namespace micius
