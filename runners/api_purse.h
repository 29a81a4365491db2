// How much a model may cost: a hard limit that counts what is under way at the most that it may come to.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/price.h"
#include "core/shared_limits.h"
#include "net/api_queue.h"

namespace micius {

// A limit and what it is used for, in picodollars. Not safe for several threads at once.
struct ApiBudget {
  explicit ApiBudget(std::optional<double> usd);

  const std::optional<std::int64_t> limit;  // absent: everything is let go
  std::int64_t spent = 0, reserved = 0;
};

// Of models that several runners ask one after another.
class ApiBudgets {
 public:
  // The one of `model`, a name with its address; the first call makes it.
  std::shared_ptr<ApiBudget> of(const std::string& model, std::optional<double> usd);

 private:
  std::map<std::string, std::shared_ptr<ApiBudget>> budgets_;
};

// One runner's way to its budget: what tokens cost there.
class ApiPurse {
 public:
  // A budget with a limit only with a price. `shared`, which must outlive it, may be null: where it has a
  // budget, what is let go is of that one.
  ApiPurse(const std::optional<Price>& price, std::shared_ptr<ApiBudget> budget,
           SharedLimits* shared = nullptr);

  // An attempt that may come to `most`: reserves it, or says that it has to wait for others to end, or that
  // nothing is left for it.
  ApiAdmission admit(const BilledTokens& most);
  void reserve(const BilledTokens& most);  // one that is under way already, whatever is left
  void release(const BilledTokens& most);  // one that was reserved has ended
  // What it came to; the most where the server may bill it and nobody knows what for.
  void pay(const BilledTokens& tokens);
  // Nothing is under way: what is held of a shared budget goes back.
  void settle();

  double spent_usd() const;  // of the budget, by whomever

 private:
  std::int64_t pico(const BilledTokens& tokens) const;
  bool is_shared() const { return shared_ != nullptr && shared_->has_budget(); }
  ApiAdmission admit_shared(std::int64_t needed);

  const std::optional<Price> price_;
  const std::shared_ptr<ApiBudget> budget_;
  SharedLimits* const shared_;
  std::int64_t held_ = 0, unsettled_ = 0;  // of the shared budget: ours; spent and not told yet
};

// The most that a prompt of so many bytes, in so many messages, is taken for: a token a byte, and what a chat
// template puts around it.
std::int64_t most_tokens(std::size_t bytes, std::size_t messages);

}  // namespace micius
