// `micius cache stats|clear`.
#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/places.h"
#include "store/answer_cache.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

fs::path file() {
  const auto file = answer_cache_file();
  if (!file) fail(ErrorCode::kUsage, "no HOME is set; set MICIUS_CACHE_DIR to the folder of the cache");
  return *file;
}

class CacheCommand final : public Command {
 public:
  std::string name() const override { return "cache"; }
  std::string summary() const override { return "Stored answers of remote models: stats, clear"; }
  void define(Flags& flags) override;
  ExitCode run() override { return action_(); }

 private:
  ExitCode stats() const;
  ExitCode clear() const;

  std::string format_ = "text";
  std::function<ExitCode()> action_;
};

void CacheCommand::define(Flags& flags) {
  flags.require_verb();
  Flags stats = flags.verb("stats", "Where they are, how many, of which models, how old",
                           [this] { action_ = [this] { return this->stats(); }; });
  stats.add("--format", format_, "text or json").one_of({"text", "json"}).show_default();
  flags.verb("clear", "Forget them all", [this] { action_ = [this] { return clear(); }; });
}

ExitCode CacheCommand::stats() const {
  const fs::path path = file();
  const AnswerCacheStats stats = answer_cache_stats(path);
  if (format_ == "json") {
    Json json = {{"schema", "micius.cache/1"},
                 {"file", path.string()},
                 {"answers", stats.answers},
                 {"file_bytes", stats.file_bytes},
                 {"oldest", stats.answers > 0 ? Json(stats.oldest) : Json()},
                 {"newest", stats.answers > 0 ? Json(stats.newest) : Json()},
                 {"models", Json::array()}};
    for (const CachedModel& model : stats.models)
      json["models"].push_back({{"name", model.model}, {"answers", model.answers}, {"bytes", model.bytes}});
    fmt::print("{}\n", dump_json(json));
    return ExitCode::kGood;
  }
  fmt::print("{}: {} answers, {}", path.string(), stats.answers, format_bytes(stats.file_bytes));
  if (stats.answers > 0) fmt::print(", from {} to {}", stats.oldest, stats.newest);
  fmt::print("\n");
  std::size_t width = 0;
  for (const CachedModel& model : stats.models) width = std::max(width, model.model.size());
  for (const CachedModel& model : stats.models) {
    fmt::print("{:<{}}  {:>8} answers  {:>9}\n", model.model, width, model.answers,
               format_bytes(model.bytes));
  }
  return ExitCode::kGood;
}

ExitCode CacheCommand::clear() const {
  fmt::print("{} answers forgotten\n", clear_answer_cache(file()));
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_cache_command() { return std::make_unique<CacheCommand>(); }

}  // namespace micius
