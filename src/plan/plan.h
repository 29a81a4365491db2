// An all-gather plan and its reader.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace micius::plan {

// GPU src sends chunk number `chunk` of GPU `owner` to GPU dst. As written: nothing says that they exist.
struct Step {
  int owner = 0, chunk = 0, src = 0, dst = 0;
  bool operator==(const Step&) const = default;
};

enum class PlanKind {
  kNone,    // no step was found
  kSteps,   // a list: each step may use what an earlier one delivers
  kRounds,  // all steps of a round run together
};

struct Plan {
  PlanKind kind = PlanKind::kNone;
  std::vector<Step> steps;  // of all rounds, in order
  std::vector<std::size_t>
      round_ends;  // kRounds: for each round the index behind its last step; none is empty

  void add_round(const std::vector<Step>& round);  // to a plan of rounds; an empty one is left out
  bool operator==(const Plan&) const = default;
};

// The same steps in order, without rounds.
Plan as_list(Plan plan);

// Reads what a program printed, or a text with a plan in it. Everything but steps and square brackets is
// skipped, so JSON, Python lists and one step a line all read alike:
//   step := "D(" owner "," chunk ")" ":" "G(" src ")" "=>" "G(" dst ")", blanks between tokens allowed; ASCII
//   digits, and more than nine of them are 999999999.
// A bracket group that holds a step is a plan; with inner lists it is a list of rounds (deeper lists belong
// to the second level, a bare step among rounds is a round of one, empty rounds vanish). The last group with
// inner lists wins; else several flat groups, with no step outside them, are a round each; else the last flat
// group. Without a group: the loose steps; a line that begins with the word `Round` opens a round.
// Linear in the text, whatever it holds. `offsets`, where asked for, becomes where each of the plan's steps
// begins.
Plan read_plan(std::string_view text, std::vector<std::size_t>* offsets = nullptr);

// A plan as JSON text of the form that read_plan takes: a list of steps or of rounds.
std::string write_plan(const Plan& plan);

}  // namespace micius::plan
