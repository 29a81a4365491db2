// The catalog of the repository, read once a test program.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "base/variable.h"
#include "emu/run.h"
#include "source_tree.h"

namespace micius::emu {

inline const Catalog& catalog() {
  static const Catalog kCatalog(source_tree() / "datasets/aimicius/cmdgen");
  return kCatalog;
}

// A command line of plain words, without quotes; "NAME=value" words before it are the environment.
inline Call call_of(const std::string& line) {
  Call call;
  for (std::string_view word : split_words(line)) {
    const auto variable = read_variable(word);
    if (call.argv.empty() && variable && is_variable_name(variable->name))
      call.env[std::string(variable->name)] = variable->value;
    else
      call.argv.emplace_back(word);
  }
  return call;
}

using Files = std::map<std::string, std::string>;

// Runs a call to its end; `files` are what lies on the machine, by absolute path.
inline Outcome run_with(const std::string& profile, State& state, Call call, const Files& files = {}) {
  Outcome outcome = run(catalog().profile(profile), state, call);
  for (int question = 0; !outcome.needs.empty() && question < 8; ++question) {
    for (const std::string& path : outcome.needs) {
      const auto file = files.find(path);
      call.files[path] = file == files.end() ? std::nullopt : std::optional(file->second);
    }
    outcome = run(catalog().profile(profile), state, call);
  }
  return outcome;
}

inline Outcome run_line(const std::string& profile, const std::string& line, State& state,
                        const Files& files = {}) {
  return run_with(profile, state, call_of(line), files);
}

inline Outcome run_line(const std::string& profile, const std::string& line) {
  State state;
  return run_line(profile, line, state);
}

}  // namespace micius::emu
