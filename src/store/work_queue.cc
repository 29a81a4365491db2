#include "store/work_queue.h"

#include <unordered_map>

#include "core/cost.h"
#include "store/limits_internal.h"
#include "store/record_rows_internal.h"

namespace micius {
namespace {

constexpr const char* kTake =
    "UPDATE leases SET worker_id = ?, taken = taken + 1, free_at_ms = NOW + ? WHERE lease_id = "
    "(SELECT lease_id FROM leases WHERE run_id = ? AND free_at_ms < NOW AND "
    "(SELECT stopped FROM queued_runs q WHERE q.run_id = leases.run_id) IS NULL "
    "ORDER BY free_at_ms, lease_id LIMIT 1";

constexpr int kOldDays = 30;  // a worker that left so long ago is forgotten

std::int64_t number(RunId run) { return static_cast<std::int64_t>(run); }
std::int64_t number(WorkerId worker) { return static_cast<std::int64_t>(worker); }

}  // namespace

struct WorkQueue::State {
  State(SqlStore& a_store, std::chrono::milliseconds lease_time)
      : store(a_store),
        database(a_store.database()),
        lease_ms(lease_time.count()),
        writer(database),
        reader(database),
        take(database, with_clock(database, std::string(kTake) + std::string(database.skip_locked()) +
                                                ") RETURNING lease_id, taken, first_position, end_position")),
        renew(database, with_clock(database,
                                   "UPDATE leases SET free_at_ms = NOW + ? WHERE lease_id = ? AND taken = ? "
                                   "RETURNING lease_id")),
        end(database, "DELETE FROM leases WHERE lease_id = ? AND taken = ? RETURNING lease_id"),
        count(database, with_clock(database,
                                   "UPDATE workers SET records = records + ?, late = late + ?, "
                                   "leases = leases + ?, alive_until_ms = NOW + ? WHERE worker_id = ?")) {}

  // Is there a row?
  static bool any(Statement& statement) {
    const bool found = statement.step();
    statement.reset();
    return found;
  }

  SqlStore& store;
  Database& database;
  const std::int64_t lease_ms;
  RecordWriter writer;
  RecordReader reader;
  Statement take, renew, end, count;
};

WorkQueue::WorkQueue(SqlStore& store, std::chrono::milliseconds lease_time)
    : state_(std::make_unique<State>(store, lease_time)) {}

WorkQueue::~WorkQueue() = default;

void WorkQueue::add(RunId run, const QueuedWork& work) {
  Database& database = state_->database;
  database.transact([&] {
    database.serialize();
    Statement resume(database, "UPDATE queued_runs SET stopped = NULL WHERE run_id = ? RETURNING run_id");
    state_->store.finish(run, RunStatus::kUnfinished, 0, std::nullopt);
    if (State::any(resume.bind(number(run)))) return set_limits(database, run, work.limits);
    state_->writer.add_samples(work.samples);
    Statement(database,
              with_clock(database, "INSERT INTO queued_runs (run_id, model, queued_ms) VALUES (?, ?, NOW)"))
        .run(number(run), work.model);
    set_limits(database, run, work.limits);
    BulkInsert leases(database, "leases", "run_id, first_position, end_position, tokens");
    for (const WorkRange& range : work.ranges) leases.add(number(run), range.first, range.end, range.tokens);
    leases.insert();
  });
}

WorkerId WorkQueue::enter(const std::string& name) {
  Database& database = state_->database;
  std::int64_t id = 0;
  database.transact([&] {
    Statement(database, with_clock(database, "DELETE FROM workers WHERE alive_until_ms < NOW - ?"))
        .run(std::int64_t{kOldDays} * 24 * 3600 * 1000);
    Statement add(database, with_clock(database,
                                       "INSERT INTO workers (name, began_ms, alive_until_ms) VALUES (?, NOW, "
                                       "NOW + ?) RETURNING worker_id"));
    add.bind(name, state_->lease_ms).step();
    id = add.integer(0);
  });
  return WorkerId{id};
}

void WorkQueue::leave(WorkerId worker) {
  Database& database = state_->database;
  database.transact([&] {
    Statement(database, with_clock(database,
                                   "UPDATE workers SET run_id = NULL, model = NULL, samples_per_s = 0, "
                                   "alive_until_ms = NOW WHERE worker_id = ?"))
        .run(number(worker));
  });
}

std::vector<QueuedRun> WorkQueue::open_runs() const {
  Database& database = state_->database;
  std::vector<QueuedRun> runs;
  Statement row(
      database,
      with_clock(database,
                 "SELECT q.run_id, r.task, q.model, (SELECT count(*) FROM workers w WHERE "
                 "w.model = q.model AND w.alive_until_ms > NOW) FROM queued_runs q JOIN runs r USING "
                 "(run_id) WHERE q.stopped IS NULL AND EXISTS (SELECT 1 FROM leases l WHERE "
                 "l.run_id = q.run_id AND l.free_at_ms < NOW) ORDER BY q.run_id"));
  while (row.step()) runs.push_back({RunId{row.integer(0)}, row.text(1), row.text(2), row.integer(3)});
  return runs;
}

std::optional<Lease> WorkQueue::take(WorkerId worker, RunId run) {
  std::optional<Lease> lease;
  state_->database.transact([&] {
    lease.reset();
    Statement& row = state_->take;
    if (row.bind(number(worker), state_->lease_ms, number(run)).step()) {
      lease = Lease{row.integer(0), row.integer(1), run, static_cast<std::size_t>(row.integer(2)),
                    static_cast<std::size_t>(row.integer(3))};
    }
    row.reset();
  });
  return lease;
}

// Rows are locked in the order lease, worker, run by everybody, or two would wait for each other.
bool WorkQueue::beat(WorkerId worker, const std::optional<Lease>& lease, const WorkerState& state) {
  Database& database = state_->database;
  std::optional<std::int64_t> run;
  std::optional<std::string> model;
  if (state.run) run = number(*state.run);
  if (!state.model.empty()) model = state.model;
  bool is_ours = true;
  database.transact([&] {
    if (lease) is_ours = State::any(state_->renew.bind(state_->lease_ms, lease->id, lease->taken));
    Statement(database, with_clock(database,
                                   "UPDATE workers SET run_id = ?, model = ?, samples_per_s = ?, "
                                   "alive_until_ms = NOW + ? WHERE worker_id = ?"))
        .run(run, model, state.samples_per_s, state_->lease_ms, number(worker));
  });
  return is_ours;
}

Kept WorkQueue::keep(WorkerId worker, const Lease& lease, const LeaseWork& work) {
  std::unordered_map<std::string_view, std::size_t> positions;
  for (std::size_t i = lease.first; i < lease.end; ++i) positions.emplace(work.spec.sample_ids.at(i), i);
  std::vector<RecordRow> rows;
  for (const Record& record : work.records) rows.push_back({positions.at(record.sample.id), &record});
  const auto price = price_of(work.spec);
  const bool is_done = work.end == LeaseEnd::kDone;
  Kept kept;
  state_->database.transact([&] {
    Statement& renew = is_done ? state_->end.bind(lease.id, lease.taken)
                               : state_->renew.bind(state_->lease_ms, lease.id, lease.taken);
    kept.is_ours = State::any(renew);
    kept.late = state_->writer.write(number(lease.run), price, rows).size();
    kept.records = rows.size() - kept.late;
    state_->count.run(kept.records, kept.late, is_done && kept.is_ours ? 1 : 0, state_->lease_ms,
                      number(worker));
  });
  return kept;
}

void WorkQueue::give_back(const Lease& lease) {
  Database& database = state_->database;
  database.transact([&] {
    Statement(database, "UPDATE leases SET free_at_ms = 0, worker_id = NULL WHERE lease_id = ? AND taken = ?")
        .run(lease.id, lease.taken);
  });
}

void WorkQueue::stop(RunId run, const std::string& why) {
  Database& database = state_->database;
  database.transact([&] {
    Statement stop(database, "UPDATE queued_runs SET stopped = ? WHERE run_id = ? RETURNING run_id");
    if (State::any(stop.bind(why, number(run))))
      state_->store.finish(run, RunStatus::kStopped, 0, std::nullopt);
  });
}

DoneSet WorkQueue::done(const Lease& lease) const {
  DoneSet done;
  Statement row(state_->database,
                "SELECT sample_id, repeat FROM records WHERE run_id = ? AND position >= ? AND position < ? "
                "AND failure_code IS NULL");
  row.bind(number(lease.run), lease.first, lease.end);
  while (row.step()) done.emplace(row.text(0), static_cast<int>(row.integer(1)));
  return done;
}

void WorkQueue::for_each_score(const Lease& lease, const std::function<void(const Record&)>& fn) const {
  state_->reader.for_each(number(lease.run), RecordReader::Turns::kLeave, fn,
                          {static_cast<std::int64_t>(lease.first), static_cast<std::int64_t>(lease.end)});
}

std::vector<RunId> WorkQueue::exhausted() const {
  std::vector<RunId> runs;
  Statement row(state_->database,
                "SELECT q.run_id FROM queued_runs q WHERE q.stopped IS NULL AND NOT EXISTS (SELECT 1 FROM "
                "leases l WHERE l.run_id = q.run_id) ORDER BY q.run_id");
  while (row.step()) runs.push_back(RunId{row.integer(0)});
  return runs;
}

bool WorkQueue::finish(RunId run, const std::optional<Estimate>& primary) {
  Database& database = state_->database;
  bool is_first = false;
  database.transact([&] {
    database.serialize();
    Statement remove(database, "DELETE FROM queued_runs WHERE run_id = ? RETURNING run_id");
    is_first = State::any(remove.bind(number(run)));
    if (!is_first) return;
    state_->store.finish(run, RunStatus::kComplete, 0, primary);
    drop_unused_limits(database);
  });
  return is_first;
}

std::set<RunId> queued_runs(const SqlStore& store) {
  std::set<RunId> runs;
  Statement row(store.database(), "SELECT run_id FROM queued_runs");
  while (row.step()) runs.insert(RunId{row.integer(0)});
  return runs;
}

}  // namespace micius
