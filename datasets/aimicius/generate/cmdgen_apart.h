// Does every test case tell right from wrong by the scorer's own measure, the embedding included?
#pragma once

#include <filesystem>
#include <string>

#include "core/services.h"

namespace micius::aimicius {

struct ApartReport {
  std::string text;  // a table by group; with all pairs, a line for each sibling that counts as right
  bool good = true;  // only soft cases have such a sibling, and few cases are soft
};

// Runs the reference of each case of test.jsonl and its siblings, and scores them: Strict Accuracy and
// Accuracy must be 0 for each sibling that is not the same command, except in cases with the tag "soft", at
// most 5 % of a group. `services` gives the embedder. A minute or two on two cores.
enum class ApartPairs { kCounted, kListed };
ApartReport cmdgen_apart(const std::filesystem::path& suite, Services& services, ApartPairs pairs);

}  // namespace micius::aimicius
