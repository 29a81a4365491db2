// Draws one request with its reference from a combo. Deterministic in the combo, the frame and the generator.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "cmdgen_sources.h"
#include "emu/catalog.h"

namespace micius::aimicius {

// What is asked, before it is put into words: a combo and which of its options are there.
struct Content {
  const CommandCombo* combo = nullptr;
  std::vector<const CommandOption*> options;  // in the combo's order
  bool held = false;                          // one of them is in no tuning case
  std::string key() const;                    // "nvidia-smi pmon{-c,-d,-f,-i}"
};

// Every content of the combo with at most `most` options that are not needed.
std::vector<Content> contents_of(const CommandCombo& combo);

enum class Style { kShort, kLong };

// A content with all values drawn.
struct Command {
  Content content;
  std::string profile;
  Style style = Style::kShort;
  struct Part {
    std::string value;  // of the option
    std::string text;   // how a request says the value
  };
  std::vector<Part> parts;  // one an option

  std::string text(Style in) const;  // the command line
  std::size_t option_count() const;
};

// Absent where the profile cannot have it (an index that is not there).
std::optional<Command> draw_command(const Content& content, const emu::Profile& profile, Rng& rng);

struct Request {
  std::string text;
  Json spans;  // option -> the words that ask for it
};

// The frame filled with the command in words.
Request put_in_words(const Command& command, const std::string& frame, const CommandSources& sources,
                     Rng& rng);

}  // namespace micius::aimicius
