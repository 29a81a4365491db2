#include "cli/places.h"

#include <cstdlib>

#include <fmt/format.h>

#include "cli/flags.h"
#include "reports/command.h"
#include "store/open_store.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

fs::path environment_path(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fs::path() : fs::path(value);
}

fs::path user_data_folder() {
  if (const fs::path xdg = environment_path("XDG_DATA_HOME"); !xdg.empty()) return xdg / "micius";
  return environment_path("HOME") / ".local/share/micius";
}

// " --db 'my runs.db'", unless the environment or the default says so.
std::string words_of(const char* flag, const fs::path& value, const char* variable, const fs::path& usual) {
  const fs::path of_environment = environment_path(variable);
  if (value == (of_environment.empty() ? usual : of_environment)) return "";
  return fmt::format(" {} {}", flag, shell_word(value.string()));
}

}  // namespace

void add_db_flag(Flags& flags, PlaceFlags& values) {
  flags.add("--db", values.db, "Database of runs: an SQLite file, or postgresql://USER@HOST:PORT/DATABASE")
      .type("FILE")
      .environment("MICIUS_DB")
      .show_default();
}

void add_data_dir_flag(Flags& flags, PlaceFlags& values) {
  flags.add("--data-dir", values.data_dir, "Folder of third-party data")
      .type("DIR")
      .environment("MICIUS_DATA_DIR");
}

void add_model_dir_flag(Flags& flags, PlaceFlags& values) {
  flags.add("--model-dir", values.model_dir, "Folder of models").type("DIR").environment("MICIUS_MODEL_DIR");
}

fs::path share_root() {
  if (fs::path share = environment_path("MICIUS_SHARE_DIR"); !share.empty()) return share;
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path installed = program.parent_path().parent_path() / "share/micius";
  return fs::is_directory(installed, ignored) ? installed : fs::path(MICIUS_SOURCE_TREE);
}

Manifest data_manifest() { return read_manifest(share_root() / "datasets/manifest.json"); }

fs::path inner_program(const std::string& name) {
  std::error_code ignored;
  const fs::path bin = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  fs::path installed = bin.parent_path() / "libexec/micius" / name;
  for (const fs::path& place : {share_root() / "../../libexec/micius" / name, installed,
                                fs::path(MICIUS_BUILD_TREE) / "libexec/micius" / name}) {
    if (fs::exists(place, ignored)) return place;
  }
  return installed;
}

fs::path data_root(const PlaceFlags& flags) {
  return flags.data_dir.empty() ? user_data_folder() / "data" : flags.data_dir;
}

fs::path model_root(const PlaceFlags& flags) {
  return flags.model_dir.empty() ? user_data_folder() / "models" : flags.model_dir;
}

std::optional<fs::path> answer_cache_file() {
  constexpr const char* kFile = "answers.db";
  if (const fs::path folder = environment_path("MICIUS_CACHE_DIR"); !folder.empty()) return folder / kFile;
  if (const fs::path xdg = environment_path("XDG_CACHE_HOME"); !xdg.empty()) return xdg / "micius" / kFile;
  const fs::path home = environment_path("HOME");
  if (home.empty()) return std::nullopt;
  return home / ".cache/micius" / kFile;
}

std::string database_words(const PlaceFlags& flags) {
  if (words_of("--db", flags.db, "MICIUS_DB", PlaceFlags{}.db).empty()) return "";
  return " --db " + shell_word(database_label(flags.db));
}

std::string model_dir_words(const PlaceFlags& flags) {
  return words_of("--model-dir", flags.model_dir, "MICIUS_MODEL_DIR", "");
}

std::string place_words(const PlaceFlags& flags) {
  return database_words(flags) + words_of("--data-dir", flags.data_dir, "MICIUS_DATA_DIR", "") +
         model_dir_words(flags);
}

DataRoots data_roots(const PlaceFlags& flags) { return {share_root(), data_root(flags)}; }

}  // namespace micius
