// How a question is put: frames with slots, grouped into families (an intent with a voice).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "vocabulary.h"

namespace micius::aimicius {

enum class Split { kTest, kDev, kTuning, kRobust };
const char* name_of(Split split);

// What a question asks for. "" is no baseline or no target, "default" says nothing.
struct Dcw {
  std::string target, baseline, criterion = "default", workload = "default";
  Json json() const;          // as a case has it
  std::string combo() const;  // "A100||default|ORT inference"
  bool operator==(const Dcw&) const = default;
};

struct Family {
  std::string id;     // "single/p4"
  std::string group;  // "single"
  int number = 0;     // 1 to 9; 7 to 9 are in the test alone
  std::string voice;
  std::vector<std::string> frames;
};

// A frame with what it has room for.
struct Frame {
  const Family* family = nullptr;
  std::string text;
  std::size_t index = 0;  // in its family
  int uses = 0;
};

struct Curated {
  std::string question;
  Dcw dcw;
  std::optional<int> matches;  // how many records fit; drawn where absent
};

struct Phrasings {
  std::vector<Family> families;
  std::vector<std::string> contexts;  // sentences that say nothing, put before a question as noise
  std::vector<Curated> curated;

  // Throws Error{kInvalidData} for a file that breaks a rule: at least 9 families a group and 4 frames a
  // family, a slot that does not exist.
  static Phrasings read(const std::filesystem::path& path);
};

// May a question of this split use the frame? Families 7 to 9 are the test's alone; of the others the even
// frames are for tuning and dev, the odd ones for the test.
bool allowed(Split split, const Family& family, std::size_t frame);
// The stricter rule, by which no family is on both sides: 7 to 9 are the test's, 1 to 6 the others'.
bool allowed_by_family(Split split, const Family& family, std::size_t frame);
using FrameRule = bool (*)(Split split, const Family& family, std::size_t frame);
// Does the frame have room for exactly what the DCW says?
bool holds(const std::string& frame, const Dcw& dcw, const Vocabulary& vocabulary);

// The frame with its slots filled; a slot takes one of the forms that the vocabulary gives.
std::string fill(const std::string& frame, const Dcw& dcw, const Vocabulary& vocabulary, Rng& rng);

// One kind of noise, with the tag that names it: lower-case names, a slip in a word outside the slots, or a
// sentence of context.
struct Noisy {
  std::string question, tag;
};
Noisy with_noise(const std::string& frame, const Dcw& dcw, const Vocabulary& vocabulary,
                 const std::vector<std::string>& contexts, Rng& rng);

}  // namespace micius::aimicius
