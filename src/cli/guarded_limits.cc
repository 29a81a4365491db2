#include "cli/guarded_limits.h"

#include <chrono>
#include <utility>

namespace micius {
namespace {

constexpr std::chrono::hours kNever{24};  // the worker has ended long before

}  // namespace

GuardedLimits::GuardedLimits(std::unique_ptr<SqlStore> store, WorkerId worker, std::function<void()> stopped)
    : store_(std::move(store)), stopped_(std::move(stopped)), limits_(*store_, worker) {}

GuardedLimits::~GuardedLimits() = default;

void GuardedLimits::use(RunId run) {
  const std::lock_guard lock(mutex_);
  limits_.use(run);
}

void GuardedLimits::rethrow() const {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
}

bool GuardedLimits::has_budget() const {
  const std::lock_guard lock(mutex_);
  return limits_.has_budget();
}

bool GuardedLimits::has_pace() const {
  const std::lock_guard lock(mutex_);
  return limits_.has_pace();
}

MoneyHeld GuardedLimits::hold(const MoneyAsked& asked) {
  std::unique_lock lock(mutex_);
  try {
    if (!error_) return limits_.hold(asked);
  } catch (const std::exception&) {
    stop(std::current_exception(), lock);
  }
  return {.pico = asked.under_way, .others_hold = true};
}

PaceGrant GuardedLimits::draw(std::size_t requests, double tokens) {
  std::unique_lock lock(mutex_);
  try {
    if (!error_) return limits_.draw(requests, tokens);
  } catch (const std::exception&) {
    stop(std::current_exception(), lock);
  }
  return {.requests = {.first = kNever}, .tokens = {}};
}

void GuardedLimits::stop(std::exception_ptr error, std::unique_lock<std::mutex>& lock) {
  error_ = std::move(error);
  lock.unlock();  // whoever is told may ask
  stopped_();
}

}  // namespace micius
