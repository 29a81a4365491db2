// `run --stop-when-decided BASELINE`: ends a run once it is better or worse than the baseline's.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cli/execute.h"
#include "pipeline/duel.h"
#include "store/sql_store.h"

namespace micius {

class EarlyStop {
 public:
  // `baseline` are its runs; `name` is what the user calls it. `family`: how many runs may be stopped; the
  // chance of a wrong stop, 5 % for all together, is shared out among them.
  EarlyStop(SqlStore& store, std::string name, std::vector<RunId> baseline, std::size_t family)
      : store_(&store), name_(std::move(name)), baseline_(std::move(baseline)), family_(family) {}

  // Can it be done? Throws Error{kUsage} where the baseline has no run of the task, and as Duel does.
  void check(const Plan& plan) const { static_cast<void>(duel_of(plan)); }

  // execute() that ends once it is decided. A run that is ended so has the status `stopped`, and a note says
  // why; the result does not count as stopped.
  EvaluateResult execute(ExecuteContext context, RunId run, const TaskSetup& setup, const Plan& plan,
                         Runner& runner) const;

 private:
  Duel duel_of(const Plan& plan) const;
  double alpha() const { return 0.05 / static_cast<double>(family_); }

  SqlStore* store_;
  std::string name_;
  std::vector<RunId> baseline_;
  std::size_t family_;
};

// Forgets the note of an earlier stop, of a run that is complete now.
void forget_stop(SqlStore& store, RunId run);

}  // namespace micius
