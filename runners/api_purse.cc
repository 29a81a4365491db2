#include "runners/api_purse.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace micius {
namespace {

constexpr double kPico = 1e12;

std::optional<std::int64_t> as_pico(std::optional<double> usd) {
  if (!usd) return std::nullopt;
  return std::llround(*usd * kPico);
}

}  // namespace

ApiBudget::ApiBudget(std::optional<double> usd) : limit(as_pico(usd)) {}

std::shared_ptr<ApiBudget> ApiBudgets::of(const std::string& model, std::optional<double> usd) {
  std::shared_ptr<ApiBudget>& budget = budgets_[model];
  if (!budget) budget = std::make_shared<ApiBudget>(usd);
  return budget;
}

ApiPurse::ApiPurse(const std::optional<Price>& price, std::shared_ptr<ApiBudget> budget)
    : price_(price), budget_(std::move(budget)) {}

std::int64_t ApiPurse::pico(const BilledTokens& tokens) const {
  return price_ ? cost_pico(*price_, tokens) : 0;
}

ApiAdmission ApiPurse::admit(const BilledTokens& most) {
  const std::int64_t needed = pico(most);
  if (budget_->limit && budget_->spent + budget_->reserved + needed > *budget_->limit) {
    // What is under way mostly comes to less than it may.
    if (budget_->reserved > 0) return {ApiAdmit::kWait};
    return {
        ApiAdmit::kStop, "budget",
        fmt::format("--budget {:.4f} leaves nothing for the next request: ${:.4f} are spent, and it may come "
                    "to ${:.4f}",
                    static_cast<double>(*budget_->limit) / kPico, spent_usd(),
                    static_cast<double>(needed) / kPico)};
  }
  reserve(most);
  return {};
}

void ApiPurse::reserve(const BilledTokens& most) { budget_->reserved += pico(most); }

void ApiPurse::release(const BilledTokens& most) { budget_->reserved -= pico(most); }

void ApiPurse::pay(const BilledTokens& tokens) { budget_->spent += pico(tokens); }

double ApiPurse::spent_usd() const { return static_cast<double>(budget_->spent) / kPico; }

std::int64_t most_tokens(std::size_t bytes, std::size_t messages) {
  constexpr std::size_t kAMessage = 16, kAPrompt = 64;
  return static_cast<std::int64_t>(bytes + kAMessage * messages + kAPrompt);
}

}  // namespace micius
