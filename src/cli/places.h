// Where files are, and the flags that say so.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/manifest.h"
#include "core/spec.h"

namespace micius {

class Flags;

// The flags --db, --data-dir and --model-dir with their environment variables, as the user gave them.
struct PlaceFlags {
  std::string db = "micius.db";  // for open_store()
  std::filesystem::path data_dir, model_dir;
};

void add_db_flag(Flags& flags, PlaceFlags& values);
void add_data_dir_flag(Flags& flags, PlaceFlags& values);
void add_model_dir_flag(Flags& flags, PlaceFlags& values);

// The project's own data: MICIUS_SHARE_DIR, else ../share/micius beside the program, else the source tree.
std::filesystem::path share_root();
// datasets/manifest.json below it.
Manifest data_manifest();
// A program that is no command of its own (micius-box, micius-emu): in libexec/micius beside share/micius or
// beside this program, else in the build tree. Where there is none, the path at which it should be.
std::filesystem::path inner_program(const std::string& name);
// --data-dir, MICIUS_DATA_DIR, else the user's data folder; made by nobody.
std::filesystem::path data_root(const PlaceFlags& flags);
std::filesystem::path model_root(const PlaceFlags& flags);
// The file of the response cache, in MICIUS_CACHE_DIR, else $XDG_CACHE_HOME/micius, else ~/.cache/micius.
// Absent where none of them is set, and no HOME.
std::optional<std::filesystem::path> answer_cache_file();
// What a command that is offered to the user needs besides to find the same files: " --db other.db", or ""
// for what is the default or set by the environment. Without passwords.
std::string database_words(const PlaceFlags& flags);
std::string place_words(const PlaceFlags& flags);  // --db, --data-dir and --model-dir
std::string model_dir_words(const PlaceFlags& flags);
DataRoots data_roots(const PlaceFlags& flags);

}  // namespace micius
