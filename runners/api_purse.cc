#include "runners/api_purse.h"

#include <cmath>

#include <fmt/format.h>

namespace micius {
namespace {

constexpr double kPico = 1e12;

std::optional<std::int64_t> as_pico(std::optional<double> usd) {
  if (!usd) return std::nullopt;
  return std::llround(*usd * kPico);
}

}  // namespace

ApiPurse::ApiPurse(const std::optional<Price>& price, std::optional<double> budget_usd)
    : price_(price), budget_(as_pico(budget_usd)) {}

std::int64_t ApiPurse::pico(const BilledTokens& tokens) const {
  return price_ ? cost_pico(*price_, tokens) : 0;
}

ApiAdmission ApiPurse::admit(const BilledTokens& most) {
  const std::int64_t needed = pico(most);
  if (budget_ && spent_ + reserved_ + needed > *budget_) {
    // What is under way mostly comes to less than it may.
    if (reserved_ > 0) return {ApiAdmit::kWait};
    return {
        ApiAdmit::kStop, "budget",
        fmt::format("--budget {:.4f} leaves nothing for the next request: ${:.4f} are spent, and it may come "
                    "to ${:.4f}",
                    static_cast<double>(*budget_) / kPico, spent_usd(), static_cast<double>(needed) / kPico)};
  }
  reserve(most);
  return {};
}

void ApiPurse::reserve(const BilledTokens& most) { reserved_ += pico(most); }

void ApiPurse::release(const BilledTokens& most) { reserved_ -= pico(most); }

void ApiPurse::pay(const BilledTokens& tokens) { spent_ += pico(tokens); }

double ApiPurse::spent_usd() const { return static_cast<double>(spent_) / kPico; }

std::int64_t most_tokens(std::size_t bytes, std::size_t messages) {
  constexpr std::size_t kAMessage = 16, kAPrompt = 64;
  return static_cast<std::int64_t>(bytes + kAMessage * messages + kAPrompt);
}

}  // namespace micius
