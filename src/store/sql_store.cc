#include "store/sql_store.h"

#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "core/cost.h"
#include "core/names.h"
#include "store/record_rows_internal.h"
#include "store/sql_internal.h"

namespace micius {
namespace {

constexpr std::string_view kRunColumns =
    "run_id, spec, status, wall_ns, batch, started_at, finished_at FROM runs";

Run read_run(const Statement& row, const std::string& path) {
  const std::string where = fmt::format("{}: run {}", path, row.integer(0));
  Run run;
  run.id = RunId{row.integer(0)};
  run.spec = run_spec_from_json(parse_json(row.text(1), where), where);
  run.status = run_status_from(row.text(2));
  run.wall_ns = row.integer(3);
  run.batch = row.integer(4);
  run.started = row.text(5);
  run.finished = row.text(6);
  return run;
}

// What a record's row takes from its run.
struct RunFacts {
  std::unordered_map<std::string, std::size_t> positions;  // of the samples in the run's list
  std::optional<Price> price;
};

RunFacts facts_of(const RunSpec& spec) {
  RunFacts facts{{}, price_of(spec)};
  for (std::size_t i = 0; i < spec.sample_ids.size(); ++i) facts.positions.emplace(spec.sample_ids[i], i);
  return facts;
}

}  // namespace

struct SqlStore::State {
  State(std::unique_ptr<Database> a_database, const Clock& a_clock)
      : database(std::move(a_database)),
        writer(*database),
        reader(*database),
        add_wall(*database, "UPDATE runs SET wall_ns = wall_ns + ? WHERE run_id = ?"),
        clock(&a_clock) {}

  const RunFacts& facts(RunId id, const SqlStore& store) {
    const auto [entry, is_new] = facts_by_run.try_emplace(id);
    if (is_new) entry->second = facts_of(store.run(id).spec);
    return entry->second;
  }

  const std::unique_ptr<Database> database;
  RecordWriter writer;
  RecordReader reader;
  Statement add_wall;
  const Clock* clock;
  std::map<RunId, RunFacts> facts_by_run;
};

SqlStore::SqlStore(std::unique_ptr<Database> database, const Clock& clock)
    : state_(std::make_unique<State>(std::move(database), clock)) {}

SqlStore::~SqlStore() = default;

const std::string& SqlStore::name() const { return state_->database->name(); }

Database& SqlStore::database() const { return *state_->database; }

RunId SqlStore::begin(const RunSpec& spec, std::int64_t batch) {
  std::optional<std::string> primary;
  if (!spec.metrics.empty()) primary = spec.metrics.front().name;
  std::int64_t id = 0;
  state_->database->transact([&] {
    Statement add(
        *state_->database,
        "INSERT INTO runs (batch, spec, spec_sha256, task, task_version, suite, model, model_kind, status, "
        "total, primary_metric, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING run_id");
    add.bind(batch, dump_json(to_json(spec)), spec_sha256(spec), spec.task, spec.task_version, spec.suite,
             spec.model.name, spec.model.kind, name_of(RunStatus::kUnfinished),
             spec.sample_ids.size() * static_cast<std::size_t>(spec.repeats), primary,
             format_utc(state_->clock->utc()));
    add.step();
    id = add.integer(0);
  });
  return RunId{id};
}

void SqlStore::set_batch(RunId run, std::int64_t batch) {
  state_->database->transact([&] {
    Statement(*state_->database, "UPDATE runs SET batch = ? WHERE run_id = ?")
        .run(batch, static_cast<std::int64_t>(run));
  });
}

void SqlStore::append(RunId run, const Record& record, std::int64_t wall_ns) {
  append_all(run, {&record, 1}, wall_ns);
}

void SqlStore::append_all(RunId run, std::span<const Record> records, std::int64_t wall_ns) {
  if (records.empty()) return add_wall(run, wall_ns);
  const RunFacts& facts = state_->facts(run, *this);
  const auto id = static_cast<std::int64_t>(run);
  std::vector<RecordRow> rows;
  for (const Record& record : records) {
    const auto position = facts.positions.find(record.sample.id);
    if (position == facts.positions.end()) {
      fail(ErrorCode::kIo, "{}: sample '{}' is not one of run {}", state_->database->name(), record.sample.id,
           id);
    }
    rows.push_back({position->second, &record});
  }
  state_->database->transact([&] {
    const std::vector<std::size_t> in_the_way = state_->writer.write(id, facts.price, rows);
    if (!in_the_way.empty()) {
      const Record& record = records[in_the_way.front()];
      fail(ErrorCode::kIo,
           "{}: run {} has a record of sample '{}', repeat {} already; another process is at work on this "
           "run: "
           "wait for it, or begin another run with --fresh",
           state_->database->name(), id, record.sample.id, record.repeat);
    }
    add_wall(run, wall_ns);
  });
}

void SqlStore::add_wall(RunId run, std::int64_t wall_ns) {
  if (wall_ns <= 0) return;
  state_->database->transact([&] { state_->add_wall.run(wall_ns, static_cast<std::int64_t>(run)); });
}

void SqlStore::finish(RunId run, RunStatus status, std::int64_t wall_ns,
                      const std::optional<Estimate>& primary) {
  std::optional<double> value, low, high;
  std::optional<std::string> finished;
  if (primary) {
    value = primary->value;
    low = primary->low;
    high = primary->high;
  }
  if (status != RunStatus::kUnfinished) finished = format_utc(state_->clock->utc());
  state_->database->transact([&] {
    Statement(*state_->database,
              "UPDATE runs SET status = ?, wall_ns = wall_ns + ?, primary_value = ?, primary_low = ?, "
              "primary_high = ?, finished_at = ? WHERE run_id = ?")
        .run(name_of(status), wall_ns, value, low, high, finished, static_cast<std::int64_t>(run));
  });
}

Run SqlStore::run(RunId run) const {
  Statement row(*state_->database, fmt::format("SELECT {} WHERE run_id = ?", kRunColumns));
  if (row.bind(static_cast<std::int64_t>(run)).step()) return read_run(row, state_->database->name());
  Statement range(*state_->database, "SELECT count(*), min(run_id), max(run_id) FROM runs");
  range.step();
  const std::string there = range.integer(0) == 0 ? "it has none yet"
                                                  : fmt::format("it has {} from {} to {}", range.integer(0),
                                                                range.integer(1), range.integer(2));
  fail(ErrorCode::kNotFound, "{}: no run {}; {} (`micius list runs`)", state_->database->name(),
       static_cast<std::int64_t>(run), there);
}

std::vector<Run> SqlStore::runs() const {
  std::vector<Run> runs;
  Statement row(*state_->database, fmt::format("SELECT {} ORDER BY run_id", kRunColumns));
  while (row.step()) runs.push_back(read_run(row, state_->database->name()));
  return runs;
}

Json SqlStore::overview() const {
  Json rows = Json::array();
  Statement row(*state_->database, "SELECT * FROM v_runs ORDER BY run_id");
  while (row.step()) {
    Json object = Json::object();
    for (int i = 0; i < row.columns(); ++i) object[row.column_name(i)] = row.json(i);
    rows.push_back(std::move(object));
  }
  return rows;
}

DoneSet SqlStore::done(RunId run) const {
  DoneSet done;
  Statement row(*state_->database,
                "SELECT sample_id, repeat FROM records WHERE run_id = ? AND failure_code IS NULL");
  row.bind(static_cast<std::int64_t>(run));
  while (row.step()) done.emplace(row.text(0), static_cast<int>(row.integer(1)));
  return done;
}

void SqlStore::for_each(RunId run, const std::function<void(const Record&)>& fn) const {
  state_->reader.for_each(static_cast<std::int64_t>(run), RecordReader::Turns::kRead, fn);
}

void SqlStore::for_each_score(RunId run, const std::function<void(const Record&)>& fn) const {
  state_->reader.for_each(static_cast<std::int64_t>(run), RecordReader::Turns::kLeave, fn);
}

void SqlStore::set_notes(RunId id, const std::vector<std::string>& notes) {
  state_->database->transact([&] {
    RunSpec spec = run(id).spec;
    spec.notes = notes;
    Statement(*state_->database, "UPDATE runs SET spec = ? WHERE run_id = ?")
        .run(dump_json(to_json(spec)), static_cast<std::int64_t>(id));
  });
}

namespace {

// Writes runs into an open transaction.
class ImportSink final : public RunSink {
 public:
  ImportSink(SqlStore& store, Database& database, RecordWriter& writer,
             const std::function<std::optional<Estimate>(RunId)>& primary)
      : store_(&store), database_(&database), writer_(&writer), primary_(&primary) {}

  void begin(const Run& run) override {
    database_->execute("SAVEPOINT imported_run");
    run_ = run;
    run_.id = store_->begin(run.spec, 0);
    facts_ = facts_of(run.spec);
  }

  void add(const Record& record) override {
    const RecordRow row{facts_.positions.at(record.sample.id), &record};
    if (writer_->write(static_cast<std::int64_t>(run_.id), facts_.price, {&row, 1}).empty()) return;
    fail(ErrorCode::kInvalidData, "two records of sample '{}', repeat {}", record.sample.id, record.repeat);
  }

  void end() override {
    const auto id = static_cast<std::int64_t>(run_.id);
    std::optional<std::string> finished;
    if (!run_.finished.empty()) finished = run_.finished;
    Statement(*database_,
              "UPDATE runs SET status = ?, wall_ns = ?, started_at = ?, finished_at = ? WHERE run_id = ?")
        .run(name_of(run_.status), run_.wall_ns, run_.started, finished, id);
    const std::optional<RunId> same = find_same();
    if (same) {
      database_->execute("ROLLBACK TO imported_run");
    } else if (const auto estimate = (*primary_)(run_.id)) {
      Statement(*database_,
                "UPDATE runs SET primary_value = ?, primary_low = ?, primary_high = ? WHERE run_id = ?")
          .run(estimate->value, estimate->low, estimate->high, id);
    }
    database_->execute("RELEASE imported_run");
    runs.push_back({same.value_or(run_.id), !same});
  }

  std::vector<ImportedRun> runs;

 private:
  std::optional<RunId> find_same() {
    std::vector<RunId> candidates;
    Statement row(*database_,
                  "SELECT run_id FROM runs WHERE spec_sha256 = ? AND started_at = ? AND run_id <> ?");
    row.bind(spec_sha256(run_.spec), run_.started, static_cast<std::int64_t>(run_.id));
    while (row.step()) candidates.push_back(RunId{row.integer(0)});
    row.reset();
    if (candidates.empty()) return std::nullopt;
    const std::string hash = run_sha256(*store_, run_.id);
    for (const RunId candidate : candidates)
      if (run_sha256(*store_, candidate) == hash) return candidate;
    return std::nullopt;
  }

  SqlStore* store_;
  Database* database_;
  RecordWriter* writer_;
  const std::function<std::optional<Estimate>(RunId)>* primary_;
  Run run_;
  RunFacts facts_;
};

}  // namespace

std::vector<ImportedRun> SqlStore::take_runs(const std::function<void(RunSink&)>& fill,
                                             const std::function<std::optional<Estimate>(RunId)>& primary) {
  std::vector<ImportedRun> runs;
  state_->database->transact([&] {
    state_->database->serialize();  // or two imports of one run would not see each other's
    ImportSink sink(*this, *state_->database, state_->writer, primary);
    fill(sink);
    runs = std::move(sink.runs);
  });
  return runs;
}

void SqlStore::set_baseline(const std::string& name, const std::vector<RunId>& runs) {
  state_->database->transact([&] {
    state_->database->serialize();
    Statement(*state_->database, "DELETE FROM baselines WHERE name = ?").run(name);
    Statement add(*state_->database, "INSERT INTO baselines (name, ordinal, run_id) VALUES (?, ?, ?)");
    for (std::size_t i = 0; i < runs.size(); ++i) add.run(name, i, static_cast<std::int64_t>(runs[i]));
  });
}

std::vector<RunId> SqlStore::baseline(const std::string& name) const {
  std::vector<RunId> runs;
  Statement row(*state_->database, "SELECT run_id FROM baselines WHERE name = ? ORDER BY ordinal");
  row.bind(name);
  while (row.step()) runs.push_back(RunId{row.integer(0)});
  if (runs.empty())
    fail(ErrorCode::kNotFound, "no baseline '{}'{}; `micius baseline set {} RUN` makes it", name,
         did_you_mean(name, baselines()), name);
  return runs;
}

void SqlStore::remove_baseline(const std::string& name) {
  static_cast<void>(baseline(name));  // throws where there is none
  state_->database->transact(
      [&] { Statement(*state_->database, "DELETE FROM baselines WHERE name = ?").run(name); });
}

std::vector<std::string> SqlStore::baselines() const {
  std::vector<std::string> names;
  Statement row(*state_->database, "SELECT DISTINCT name FROM baselines ORDER BY name");
  while (row.step()) names.push_back(row.text(0));
  return names;
}

}  // namespace micius
