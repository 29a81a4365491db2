#include "runners/api_purse.h"

#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace micius {
namespace {

constexpr double kPico = 1e12;
constexpr std::chrono::milliseconds kAskAgain{500};  // what others give back

std::optional<std::int64_t> as_pico(std::optional<double> usd) {
  if (!usd) return std::nullopt;
  return std::llround(*usd * kPico);
}

ApiAdmission nothing_left(std::int64_t limit, std::int64_t spent, std::int64_t needed) {
  const auto usd = [](std::int64_t pico) { return static_cast<double>(pico) / kPico; };
  return {
      ApiAdmit::kStop, "budget",
      fmt::format("--budget {:.4f} leaves nothing for the next request: ${:.4f} are spent, and it may come "
                  "to ${:.4f}",
                  usd(limit), usd(spent), usd(needed))};
}

}  // namespace

ApiBudget::ApiBudget(std::optional<double> usd) : limit(as_pico(usd)) {}

std::shared_ptr<ApiBudget> ApiBudgets::of(const std::string& model, std::optional<double> usd) {
  std::shared_ptr<ApiBudget>& budget = budgets_[model];
  if (!budget) budget = std::make_shared<ApiBudget>(usd);
  return budget;
}

ApiPurse::ApiPurse(const std::optional<Price>& price, std::shared_ptr<ApiBudget> budget, SharedLimits* shared)
    : price_(price), budget_(std::move(budget)), shared_(shared) {}

std::int64_t ApiPurse::pico(const BilledTokens& tokens) const {
  return price_ ? cost_pico(*price_, tokens) : 0;
}

ApiAdmission ApiPurse::admit(const BilledTokens& most) {
  const std::int64_t needed = pico(most);
  if (is_shared()) {
    if (ApiAdmission admission = admit_shared(needed); admission.what != ApiAdmit::kSend) return admission;
  } else if (budget_->limit && budget_->spent + budget_->reserved + needed > *budget_->limit) {
    // What is under way mostly comes to less than it may.
    if (budget_->reserved > 0) return {ApiAdmit::kWait};
    return nothing_left(*budget_->limit, budget_->spent, needed);
  }
  reserve(most);
  return {};
}

ApiAdmission ApiPurse::admit_shared(std::int64_t needed) {
  const std::int64_t under_way = budget_->reserved;
  if (unsettled_ + under_way + needed <= held_) return {};
  const MoneyHeld got = shared_->hold({std::exchange(unsettled_, 0), under_way, needed});
  held_ = got.pico;
  if (under_way + needed <= held_) return {};
  if (under_way > 0) return {ApiAdmit::kWait};
  if (got.others_hold)
    return {.what = ApiAdmit::kWait, .again = std::chrono::steady_clock::now() + kAskAgain};
  return nothing_left(got.limit, got.spent, needed);
}

void ApiPurse::settle() {
  if (is_shared() && (held_ > 0 || unsettled_ > 0)) shared_->hold({unsettled_, 0, 0});
  held_ = unsettled_ = 0;
}

void ApiPurse::reserve(const BilledTokens& most) { budget_->reserved += pico(most); }

void ApiPurse::release(const BilledTokens& most) { budget_->reserved -= pico(most); }

void ApiPurse::pay(const BilledTokens& tokens) {
  budget_->spent += pico(tokens);
  if (is_shared()) unsettled_ += pico(tokens);
}

double ApiPurse::spent_usd() const { return static_cast<double>(budget_->spent) / kPico; }

std::int64_t most_tokens(std::size_t bytes, std::size_t messages) {
  constexpr std::size_t kAMessage = 16, kAPrompt = 64;
  return static_cast<std::int64_t>(bytes + kAMessage * messages + kAPrompt);
}

}  // namespace micius
