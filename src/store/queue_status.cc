#include "store/queue_status.h"

#include <map>
#include <string>

#include "store/sql_internal.h"

namespace micius {
namespace {

// Rows as objects, by the names of their columns.
Json rows_of(Database& database, const std::string& sql) {
  Json rows = Json::array();
  Statement row(database, with_clock(database, sql));
  while (row.step()) {
    Json object = Json::object();
    for (int i = 0; i < row.columns(); ++i) object[row.column_name(i)] = row.json(i);
    rows.push_back(std::move(object));
  }
  return rows;
}

constexpr const char* kRuns =
    "SELECT r.run_id, r.task, r.model, CASE WHEN q.stopped IS NOT NULL THEN 'stopped' ELSE r.status END AS "
    "status, q.stopped AS reason, r.total, "
    "(SELECT count(*) FROM records d WHERE d.run_id = r.run_id) AS done, "
    "(SELECT count(failure_code) FROM records d WHERE d.run_id = r.run_id) AS failed, "
    "(SELECT count(*) FROM leases l WHERE l.run_id = r.run_id) AS leases "
    "FROM runs r LEFT JOIN queued_runs q USING (run_id) WHERE q.run_id IS NOT NULL OR (r.batch > 0 AND "
    "r.batch IN (SELECT b.batch FROM runs b JOIN queued_runs USING (run_id))) ORDER BY r.run_id";

constexpr const char* kWorkers =
    "SELECT worker_id, name, model, run_id, records, late, leases, samples_per_s, "
    "(NOW - began_ms) / 1000 AS up_s FROM workers WHERE alive_until_ms > NOW ORDER BY worker_id";

constexpr const char* kStuck =
    "SELECT l.lease_id, l.run_id, l.first_position, l.end_position, l.taken, w.name AS worker, "
    "CASE WHEN l.free_at_ms < NOW THEN (NOW - l.free_at_ms) / 1000 END AS expired_s "
    "FROM leases l LEFT JOIN workers w USING (worker_id) JOIN queued_runs q ON q.run_id = l.run_id "
    "WHERE q.stopped IS NULL AND l.worker_id IS NOT NULL AND (l.free_at_ms < NOW OR l.taken >= 3) "
    "ORDER BY l.lease_id";

constexpr const char* kBudgets =
    "SELECT b.account AS model, CAST(b.limit_pico AS DOUBLE PRECISION) / 1e12 AS limit_usd, "
    "CAST(b.spent_pico AS DOUBLE PRECISION) / 1e12 AS spent_usd, "
    "CAST(coalesce((SELECT sum(p.held_pico) FROM purses p WHERE p.budget_id = b.budget_id), 0) AS DOUBLE "
    "PRECISION) / 1e12 AS held_usd FROM budgets b ORDER BY b.budget_id";

constexpr const char* kRates =
    "SELECT account AS model, requests_per_minute, tokens_per_minute FROM rates ORDER BY account";

Json eta_s(std::int64_t left, double rate) {
  if (left == 0) return 0;
  return rate > 0 ? Json(static_cast<double>(left) / rate) : Json(nullptr);
}

}  // namespace

Json queue_status(const SqlStore& store) {
  Database& database = store.database();
  Json status = {{"runs", rows_of(database, kRuns)},
                 {"workers", rows_of(database, kWorkers)},
                 {"stuck", rows_of(database, kStuck)},
                 {"budgets", rows_of(database, kBudgets)},
                 {"rates", rows_of(database, kRates)}};
  std::map<std::int64_t, double> rates;  // by run
  double rate = 0;
  for (const Json& worker : status["workers"]) {
    const auto of_worker = worker.at("samples_per_s").get<double>();
    rate += of_worker;
    if (!worker.at("run_id").is_null()) rates[worker.at("run_id").get<std::int64_t>()] += of_worker;
  }
  std::int64_t left = 0;
  for (Json& run : status["runs"]) {
    const bool goes_on = run.at("status") == "unfinished";
    const std::int64_t of_run =
        goes_on ? run.at("total").get<std::int64_t>() - run.at("done").get<std::int64_t>() : 0;
    const double run_rate = rates[run.at("run_id").get<std::int64_t>()];
    run["samples_per_s"] = run_rate;
    run["eta_s"] = goes_on ? eta_s(of_run, run_rate) : Json(nullptr);
    left += of_run;
  }
  status["samples_per_s"] = rate;
  status["eta_s"] = eta_s(left, rate);
  return status;
}

}  // namespace micius
