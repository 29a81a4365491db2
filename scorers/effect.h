// What a command did, and the two texts that effects are compared by (AIMicius 2.5 and 2.6).
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace micius {

struct Effect {
  int exit = 0;
  std::string out, err;
  std::map<std::string, std::string> files;  // made or changed, by absolute path
  Json state = Json::object();               // what set commands changed: key -> value; "clock": virtual time
  std::set<std::string> programs;            // emulated ones that ran
  std::set<std::string> env;                 // "NCCL_ALGO=Ring": variables that one of them read
  std::set<std::string> columns;             // "index,temperature.gpu": the fields of a CSV report
  bool unbounded = false;                    // some program would never have ended
  bool timed_out = false;                    // or was ended for another limit
  bool truncated = false;                    // out, err or files are not whole
};

// Kept with a turn. Texts longer than 512 KiB are cut and the effect is then truncated.
Json to_json(const Effect& effect);
Effect effect_from_json(const Json& json, const std::string& where);

// The channels that a case compares: "exit", "stdout", "files", "state".
using Channels = std::set<std::string>;

// The rows of normal.json. "masks": a pattern (RE2), what takes its place, the programs it is for (globs;
// none: all), and the text: "equal" rows make both texts, "similar" rows the second alone. "readings": globs
// of the fields of CSV reports that are measured; the second text masks the numbers of their columns. "told":
// patterns of what a long output says of the command, where being alike is not enough. Immutable.
class EffectTexts {
 public:
  // `rules`: normal.json. Throws Error{kInvalidData} for a pattern that is none.
  EffectTexts(const Json& rules, const std::string& where);
  ~EffectTexts();

  // stdout, then each changed file below "==> PATH <==", then "state: key = value", as far as `channels` go;
  // CR, escapes and blanks that say nothing are gone. `host`: the machine's name, which is masked.
  std::string equality(const Effect& effect, const Channels& channels, std::string_view host) const;
  // The same with what was measured masked, and "env: NAME=value" lines in front.
  std::string similarity(const Effect& effect, const Channels& channels, std::string_view host) const;

  // Do they agree in the channels? Exit, programs, unbounded, and the files and state alone; the first line
  // of stderr where both failed. `text` says whether all of T has to be equal too, or only what the output
  // says of the command: the fields of CSV reports, in their order, and what "told" finds.
  enum class Text { kAny, kEqual };
  bool agree(const Effect& a, const Effect& b, const Channels& channels, std::string_view host,
             Text text) const;

 private:
  struct Mask;
  enum class Masks { kEqual, kSimilar };  // the second: the first and what was measured
  std::string masked(std::string text, const Effect& effect, Masks masks, std::string_view host) const;
  std::string text_of(const Effect& effect, const Channels& channels) const;
  std::string without_readings(const std::string& text, const Effect& effect) const;
  std::string told(const Effect& effect, const Channels& channels, std::string_view host) const;

  std::vector<std::unique_ptr<Mask>> masks_, told_;
  std::vector<std::string> readings_;
};

}  // namespace micius
