// How much a model may cost: a hard limit that counts what is under way at the most that it may come to.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/price.h"
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
  // A budget with a limit only with a price.
  ApiPurse(const std::optional<Price>& price, std::shared_ptr<ApiBudget> budget);

  // An attempt that may come to `most`: reserves it, or says that it has to wait for others to end, or that
  // nothing is left for it.
  ApiAdmission admit(const BilledTokens& most);
  void reserve(const BilledTokens& most);  // one that is under way already, whatever is left
  void release(const BilledTokens& most);  // one that was reserved has ended
  // What it came to; the most where the server may bill it and nobody knows what for.
  void pay(const BilledTokens& tokens);

  double spent_usd() const;  // of the budget, by whomever

 private:
  std::int64_t pico(const BilledTokens& tokens) const;

  const std::optional<Price> price_;
  const std::shared_ptr<ApiBudget> budget_;
};

// The most that a prompt of so many bytes, in so many messages, is taken for: a token a byte, and what a chat
// template puts around it.
std::int64_t most_tokens(std::size_t bytes, std::size_t messages);

}  // namespace micius
