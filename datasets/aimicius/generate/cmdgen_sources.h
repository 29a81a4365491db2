// What CMDGen's cases are made from: combos.json (what may be asked) and phrasings.json (how).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "phrasings.h"

namespace micius::aimicius {

// One option of a combo. Kinds:
//   switch, fixed (always `value`), choice (one of `values`), pair (a choice of two words that repeat the
//   flag), gpu, gpus (indices of the machine), gpu-count, fields (some of `fields`, joined by commas),
//   size-one (a size given to -b and -e), redirect ("> file"), env ("NAME=value" in front)
struct CommandOption {
  std::vector<std::string> flags;  // short, long; none: a word of its own
  std::string kind;
  std::vector<std::string> say;                  // "every {}"; empty: the main phrase says it
  std::vector<std::vector<std::string>> values;  // value, then how people say it
  std::vector<std::pair<std::string, std::string>> fields;
  std::size_t least = 1, most = 1;  // of fields
  bool need = false;                // always there
  bool held = false;                // in no tuning case
  bool glue = false;                // "-O3": no blank between flag and value
  std::string join, long_join;      // between flag and value: "=" or a blank
  std::string value;                // of kind fixed
};

struct CommandCombo {
  std::string key, group, platform, intent, command, long_command;
  bool sudo = false;
  bool fails = false;                           // asks for something that the machine cannot do
  std::vector<std::string> verbs, nouns, whys;  // "show the topology", "the topology", a sentence before it
  std::vector<CommandOption> options;
  std::vector<std::string> profiles, tags;  // no profiles: all of the platform
  std::size_t most = 3;                     // options that are not needed
  std::string then;                         // a command line run after it with &&
  std::vector<std::string> then_say;
};

struct CuratedCommand {
  std::string platform, group, profile, request, reference;
  std::vector<std::string> accepted, tags, compare;
  Json spans = Json::object();
};

struct CommandSources {
  std::vector<CommandCombo> combos;
  std::vector<Family> families;                            // Family::group is the intent
  std::vector<std::string> long_style;                     // "Use full option names."
  std::map<std::string, std::vector<std::string>> others;  // by platform: commands that a wrong answer may be
  std::vector<CuratedCommand> curated;

  // Throws Error{kInvalidData} naming the file and the row.
  static CommandSources read(const std::filesystem::path& folder);
};

}  // namespace micius::aimicius
