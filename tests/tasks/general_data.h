// The third-party data of the general tasks as a user has it: with the fixed shots, which lie with the
// vectors.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/json.h"
#include "core/spec.h"
#include "shared_files.h"
#include "temp_dir.h"

namespace micius {

class GeneralData {
 public:
  // Absent where data or vectors are not there.
  static bool is_there() {
    return std::filesystem::exists(data_folder() / "general") && std::filesystem::exists(fixed_shots());
  }

  GeneralData() {
    namespace fs = std::filesystem;
    for (const auto& benchmark : fs::directory_iterator(data_folder() / "general")) {
      if (!benchmark.is_directory()) continue;
      const fs::path folder = root() / "general" / benchmark.path().filename();
      fs::create_directories(folder);
      for (const auto& file : fs::directory_iterator(benchmark.path()))
        fs::create_symlink(fs::absolute(file.path()), folder / file.path().filename());
    }
    const Json shots = parse_json(read_file(fixed_shots()), fixed_shots().string());
    for (const auto& [benchmark, key] : std::map<std::string, std::string>{
             {"bbh", "bbh"}, {"gsm8k", "gsm8k_cot"}, {"math", "minerva_math"}, {"mbpp", "mbpp"}}) {
      fs::create_directories(root() / "general" / benchmark);
      write_file_atomic(root() / "general" / benchmark / "shots.json", dump_json(shots.at(key)));
    }
  }

  std::filesystem::path root() const { return folder_.path(); }
  DataRoots roots() const { return {"/nowhere", root()}; }

 private:
  static std::filesystem::path fixed_shots() { return vector_folder() / "general/fewshots.json"; }
  TempDir folder_;
};

}  // namespace micius
