// The right answers that go with a request, for the models `reference` and `random`.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/prompt.h"
#include "core/task.h"
#include "pipeline/plan.h"

namespace micius {

// Which request an answer is for.
struct RequestPlace {
  std::size_t sample = 0;  // dataset index
  int repeat = 0;
  std::span<const Turn> turns;  // what was said before
};

// Samples are of one group where their extra.group is equal; without it, all are. Borrows task and plan.
class References {
 public:
  References(const Task& task, const Plan& plan);

  // What the task says, or the index of the right choice (the first of several) for a likelihood prompt.
  std::string right(const Prompt& prompt, const RequestPlace& place) const;
  // The right answer to another sample of the group (of the dataset, where it is alone in its group), or any
  // choice of a likelihood prompt; drawn by the run's seed, sample id and repeat. Empty where there is no
  // other sample.
  std::string other(const Prompt& prompt, const RequestPlace& place) const;

 private:
  std::string answer_of(std::size_t sample, std::span<const Turn> turns) const;

  const Task* task_;
  const Plan* plan_;
  std::vector<std::vector<std::size_t>> groups_;        // dataset indices, ascending
  std::vector<std::size_t> group_of_, place_in_group_;  // by dataset index
};

}  // namespace micius
