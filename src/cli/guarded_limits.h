// The limits that workers keep to together, as a runner may ask for them.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <mutex>

#include "core/shared_limits.h"
#include "store/worker_limits.h"

namespace micius {

// WorkerLimits for any thread, which do not throw: where the database is gone, nothing may go any more.
class GuardedLimits final : public SharedLimits {
 public:
  // `store` is its own. `stopped` is called, from any thread, where it cannot go on.
  GuardedLimits(std::unique_ptr<SqlStore> store, WorkerId worker, std::function<void()> stopped);
  ~GuardedLimits() override;

  void use(RunId run);  // as WorkerLimits' own; throws
  // What it stopped with, thrown.
  void rethrow() const;

  bool has_budget() const override;
  bool has_pace() const override;
  MoneyHeld hold(const MoneyAsked& asked) override;
  PaceGrant draw(std::size_t requests, double tokens) override;

 private:
  void stop(std::exception_ptr error, std::unique_lock<std::mutex>& lock);

  const std::unique_ptr<SqlStore> store_;
  const std::function<void()> stopped_;
  mutable std::mutex mutex_;  // of all below
  WorkerLimits limits_;
  std::exception_ptr error_;
};

}  // namespace micius
