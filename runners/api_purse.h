// How much a model may cost: a hard limit that counts what is under way at the most that it may come to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/price.h"
#include "net/api_queue.h"

namespace micius {

// Not safe for several threads at once. Without a budget everything is let go.
class ApiPurse {
 public:
  // `budget_usd` only with a price.
  ApiPurse(const std::optional<Price>& price, std::optional<double> budget_usd);

  // An attempt that may come to `most`: reserves it, or says that it has to wait for others to end, or that
  // nothing is left for it.
  ApiAdmission admit(const BilledTokens& most);
  void reserve(const BilledTokens& most);  // one that is under way already, whatever is left
  void release(const BilledTokens& most);  // one that was reserved has ended
  // What it came to; the most where the server may bill it and nobody knows what for.
  void pay(const BilledTokens& tokens);

  double spent_usd() const;

 private:
  std::int64_t pico(const BilledTokens& tokens) const;

  const std::optional<Price> price_;
  const std::optional<std::int64_t> budget_;  // all three in picodollars
  std::int64_t spent_ = 0, reserved_ = 0;
};

// The most that a prompt of so many bytes, in so many messages, is taken for: a token a byte, and what a chat
// template puts around it.
std::int64_t most_tokens(std::size_t bytes, std::size_t messages);

}  // namespace micius
