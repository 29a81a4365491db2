// Does the program pass its tests?
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/scorer.h"
#include "core/spec.h"
#include "scorers/registry.h"

namespace micius {

// The program of a completion, a line end, and the tests (the sample's first target), run as one in a fresh
// Python of the sandbox for at most 3 s, as code_eval of Hugging Face's `evaluate`: right if it comes to its
// end without an exception. What it prints is dropped, reading stdin raises, and os._exit(0) is no end. A
// process or thread of its own is refused. params:
//   candidate    ["completion"] what the program is made of:
//                "prompt"           the prompt and the completion (humaneval)
//                "prompt_to_fence"  the prompt and the completion up to its first ``` (humaneval_instruct)
//                "completion"       the completion as it is (mbpp): in a fence it is no Python
//                "fence"            the code of program_in_fence() (mbpp_instruct)
//   prompt       ["prompt"] the field of Sample::extra with the prompt, for the first two
//   stop         [] stop strings, as of exact_match
//   lm_eval_bug  [false] with "fence": reads as lm-eval 0.4.13 does, which loses the first word of code that
//                is not fenced: "def f():" -> " f():"
// The value is `pass@1`; a task makes pass@k of it by the samples' repeats (Reduction::kPassAtK). Blank: no
// answer. No sandbox: unscored.
std::unique_ptr<Scorer> make_program_scorer(const Spec& spec, const ScorerContext& context);

// The code of an answer that was begun with "```python\n" for the model. A first fence with a word, or with
// nothing before it, opens the code although it was open; else the code is all before it.
//   "x = 1\n```\nDone." -> "x = 1\n"    "Sure:\n```python\nx = 1\n```" -> "x = 1\n"
std::string_view program_in_fence(std::string_view text);

}  // namespace micius
