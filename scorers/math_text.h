// The text rules by which lm-eval reads and compares answers of MATH, step by step as upstream has them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "scorers/pattern.h"

namespace micius {

// minerva_math.
class MinervaText {
 public:
  // What stands between "Final Answer: The final answer is" and " I hope it is correct." once "I hope it is
  // correct." is put at the end; absent where that is not there. So an output that stops behind its answer
  // has none: "... is $4$." lacks the space.
  std::optional<std::string> answer(std::string_view text) const;

  // normalize_final_answer: "x = \frac12" -> "\frac{1}{2}", "\$1,234.50 dollars" -> "1,234.50"
  std::string normal_form(std::string_view answer) const;

 private:
  const Pattern final_{"Final Answer: The final answer is(.*?). I hope it is correct.", "final answer"};
  const Pattern dollars_{"(.*?)(\\$)(.*?)(\\$)(.*)", "dollars"};
  const Pattern text_{"(\\\\text\\{)(.*?)(\\})", "text"};
  const Pattern bold_{"(\\\\textbf\\{)(.*?)(\\})", "bold"};
  const Pattern overline_{"(\\\\overline\\{)(.*?)(\\})", "overline"};
  const Pattern boxed_{"(\\\\boxed\\{)(.*)(\\})", "boxed"};
  const Pattern fraction_{"(frac)([^{])(.)", "fraction"};
  const Pattern root_{"(sqrt)([^{])", "root"};
};

// hendrycks_math: the text between the first and the last "$", the whole of it where there are fewer than
// two.
std::string_view between_dollars(std::string_view text);

// hendrycks_math's form of an answer: "\dfrac12" -> "\frac{1}{2}", "x=5" -> "5". Absent where upstream
// raises; it then compares the answers as they are.
std::optional<std::string> strip_string(std::string_view answer);

}  // namespace micius
