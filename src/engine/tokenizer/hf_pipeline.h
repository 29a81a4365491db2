// The normalizer and the pre-tokenizer of a `tokenizer.json`, as the engine's own description.
#pragma once

#include <string>
#include <vector>

#include "engine/tokenizer/hf_json.h"
#include "engine/tokenizer/tokenizer_data.h"

namespace micius {

struct HfPipeline {
  std::string charsmap;
  Blanks blanks = Blanks::kKept;
  BlankPrefix prefix = BlankPrefix::kNone;
  bool prefix_before_blank = true;
  bool nfc = false;
  bool writes_blanks = false;  // as U+2581
  bool splits_blanks = false;  // a piece begins at each U+2581
  bool byte_level = false;
  bool bert_normalizer = false, bert_words = false;
  std::vector<SplitStep> steps;
};

// `file`: the whole document. Throws Error{kUnsupported} naming what is not covered.
HfPipeline hf_pipeline(const HfValue& file);

}  // namespace micius
