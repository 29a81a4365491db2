#include "store/worker_limits.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "store/limits_internal.h"

namespace micius {
namespace {

constexpr double kPico = 1e12;
constexpr std::int64_t kRequestsAhead = 32;  // that a worker holds money for, where there is enough
constexpr std::int64_t kLeastParts = 4;      // of what is left, a worker alone holds one ahead

constexpr const char* kSpend =
    "UPDATE budgets SET spent_pico = spent_pico + ? WHERE budget_id = ? RETURNING limit_pico, spent_pico";
constexpr const char* kOthers =
    "SELECT coalesce(sum(p.held_pico), 0), coalesce(sum(CASE WHEN w.alive_until_ms > NOW THEN p.held_pico "
    "ELSE 0 END), 0), count(CASE WHEN w.alive_until_ms > NOW THEN 1 END) "
    "FROM purses p LEFT JOIN workers w USING (worker_id) WHERE p.budget_id = ? AND p.worker_id <> ?";
constexpr const char* kHold =
    "INSERT INTO purses (budget_id, worker_id, held_pico) VALUES (?, ?, ?) "
    "ON CONFLICT (budget_id, worker_id) DO UPDATE SET held_pico = excluded.held_pico";
// Each line of places begins now where nobody waits.
constexpr const char* kDraw =
    "UPDATE rates SET "
    "next_request_ms = CASE WHEN requests_per_minute IS NULL THEN NOW ELSE "
    "(CASE WHEN next_request_ms > NOW THEN next_request_ms ELSE NOW END) + "
    "CAST(? AS DOUBLE PRECISION) * 60000 / requests_per_minute END, "
    "next_token_ms = CASE WHEN tokens_per_minute IS NULL THEN NOW ELSE "
    "(CASE WHEN next_token_ms > NOW THEN next_token_ms ELSE NOW END) + "
    "CAST(? AS DOUBLE PRECISION) * 60000 / tokens_per_minute END "
    "WHERE account = ? RETURNING requests_per_minute, tokens_per_minute, next_request_ms - NOW, "
    "next_token_ms - NOW";

// The first of `amount` steps whose end is in `end_ms`; `per_minute` is NULL for no limit.
PaceSteps steps(const Statement& row, int per_minute, int end_ms, double amount) {
  if (row.is_null(per_minute)) return {};
  const std::chrono::duration<double> each(60 / row.real(per_minute)), end(row.real(end_ms) / 1000);
  return {std::max(end - amount * each, std::chrono::duration<double>(0)), each};
}

}  // namespace

void set_limits(Database& database, RunId run, const ModelLimits& limits) {
  if (limits.account.empty()) return;
  const auto id = static_cast<std::int64_t>(run);
  std::optional<std::int64_t> budget;
  if (limits.budget_usd) {
    Statement add(
        database,
        "INSERT INTO budgets (batch, account, limit_pico) SELECT batch, ?, CAST(? AS BIGINT) FROM runs WHERE "
        "run_id = ? ON CONFLICT (batch, account) DO UPDATE SET limit_pico = excluded.limit_pico "
        "RETURNING budget_id");
    add.bind(limits.account, std::int64_t{std::llround(*limits.budget_usd * kPico)}, id).step();
    budget = add.integer(0);
  }
  Statement(database, "UPDATE queued_runs SET account = ?, budget_id = ? WHERE run_id = ?")
      .run(limits.account, budget, id);
  if (!limits.requests_per_minute && !limits.tokens_per_minute) return;
  Statement(database,
            "INSERT INTO rates (account, requests_per_minute, tokens_per_minute) VALUES (?, ?, ?) "
            "ON CONFLICT (account) DO UPDATE SET "
            "requests_per_minute = coalesce(excluded.requests_per_minute, rates.requests_per_minute), "
            "tokens_per_minute = coalesce(excluded.tokens_per_minute, rates.tokens_per_minute)")
      .run(limits.account, limits.requests_per_minute, limits.tokens_per_minute);
}

void drop_unused_limits(Database& database) {
  database.execute(
      "DELETE FROM budgets WHERE NOT EXISTS (SELECT 1 FROM queued_runs q WHERE q.budget_id = "
      "budgets.budget_id)");
  database.execute(
      "DELETE FROM rates WHERE NOT EXISTS (SELECT 1 FROM queued_runs q WHERE q.account = rates.account)");
}

struct WorkerLimits::State {
  State(SqlStore& store, WorkerId a_worker)
      : database(store.database()),
        worker(static_cast<std::int64_t>(a_worker)),
        of_run(database,
               "SELECT q.budget_id, r.account FROM queued_runs q LEFT JOIN rates r USING (account) WHERE "
               "q.run_id = ?"),
        spend(database, kSpend),
        others(database, with_clock(database, kOthers)),
        hold(database, kHold),
        draw(database, with_clock(database, kDraw)) {}

  Database& database;
  const std::int64_t worker;
  Statement of_run, spend, others, hold, draw;
  std::optional<std::int64_t> budget;
  std::optional<std::string> account;  // where it has rates
};

WorkerLimits::WorkerLimits(SqlStore& store, WorkerId worker)
    : state_(std::make_unique<State>(store, worker)) {}

WorkerLimits::~WorkerLimits() = default;

void WorkerLimits::use(RunId run) {
  Statement& row = state_->of_run;
  state_->budget.reset();
  state_->account.reset();
  if (row.bind(static_cast<std::int64_t>(run)).step()) {
    if (!row.is_null(0)) state_->budget = row.integer(0);
    if (!row.is_null(1)) state_->account = row.text(1);
  }
  row.reset();
}

bool WorkerLimits::has_budget() const { return state_->budget.has_value(); }
bool WorkerLimits::has_pace() const { return state_->account.has_value(); }

MoneyHeld WorkerLimits::hold(const MoneyAsked& asked) {
  State& s = *state_;
  MoneyHeld held;
  s.database.transact([&] {
    held = {.pico = asked.under_way};
    const bool is_there = s.spend.bind(asked.spent, s.budget).step();
    if (is_there) {
      held.limit = s.spend.integer(0);
      held.spent = s.spend.integer(1);
    }
    s.spend.reset();  // before the next one, which sees what others have committed until then
    if (!is_there) return;
    s.others.bind(s.budget, s.worker).step();
    const std::int64_t of_others = s.others.integer(0), of_living = s.others.integer(1);
    const std::int64_t living = s.others.integer(2);
    s.others.reset();
    held.spent += of_others - of_living;
    held.others_hold = of_living > 0;
    const std::int64_t left = held.limit - held.spent - of_living;
    const std::int64_t needed = asked.under_way + asked.wanted;
    if (asked.wanted > 0 && needed <= left) {
      const std::int64_t ahead =
          std::min((kRequestsAhead - 1) * asked.wanted, (left - needed) / (kLeastParts * (living + 1)));
      held.pico = needed + ahead;
    }
    s.hold.run(s.budget, s.worker, held.pico);
  });
  return held;
}

PaceGrant WorkerLimits::draw(std::size_t requests, double tokens) {
  State& s = *state_;
  PaceGrant grant;
  const auto count = static_cast<double>(requests);
  s.database.transact([&] {
    grant = {};
    if (s.draw.bind(count, tokens, s.account).step())
      grant = {steps(s.draw, 0, 2, count), steps(s.draw, 1, 3, tokens)};
    s.draw.reset();
  });
  return grant;
}

}  // namespace micius
