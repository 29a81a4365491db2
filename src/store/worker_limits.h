// A worker's part of the limits that all workers keep to together.
#pragma once

#include <memory>

#include "core/shared_limits.h"
#include "store/work_queue.h"

namespace micius {

// Money: what is spent and what workers hold is never more than the budget. A worker holds more than it needs
// at once, so that it asks once for many requests, but no more than its share of a quarter of what is left.
// What a worker held that died is taken for spent, since nobody knows how much of it was: so the budget is
// kept to whoever is killed and when, and may end before it is used up.
//
// Rates: a row says when the next request may go, and whoever draws moves it on. So they hold however many
// workers there are, and need no agreement when one comes or goes.
//
// Each call is a transaction. For one thread at a time, like the store, which must outlive it. Throws
// Error{kIo}, unlike what SharedLimits promises.
class WorkerLimits {
 public:
  WorkerLimits(SqlStore& store, WorkerId worker);
  ~WorkerLimits();

  // From now on those of this run, which is in the queue. Nothing is under way.
  void use(RunId run);
  bool has_budget() const;
  bool has_pace() const;
  MoneyHeld hold(const MoneyAsked& asked);
  PaceGrant draw(std::size_t requests, double tokens);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace micius
