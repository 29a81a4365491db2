// Every version of the schema, in SQLite's words, which PostgreSQL is told in its own: a step uses what both
// have, or adds its words to the translation. What tables and columns mean is in the folder's README.

#include <array>

#include "store/migrations.h"

namespace micius {
namespace {

constexpr const char* kVersion1 = R"sql(
CREATE TABLE runs (
  run_id INTEGER PRIMARY KEY AUTOINCREMENT,
  batch INTEGER NOT NULL,
  spec TEXT NOT NULL,
  spec_sha256 TEXT NOT NULL,
  task TEXT NOT NULL,
  task_version INTEGER NOT NULL,
  suite TEXT NOT NULL,
  model TEXT NOT NULL,
  model_kind TEXT NOT NULL,
  status TEXT NOT NULL,
  total INTEGER NOT NULL,
  primary_metric TEXT,
  primary_value REAL,
  primary_low REAL,
  primary_high REAL,
  cost_usd REAL,
  wall_ns INTEGER NOT NULL DEFAULT 0,
  started_at TEXT NOT NULL,
  finished_at TEXT
) STRICT;

CREATE TABLE samples (
  sample_ref INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  sample TEXT NOT NULL
) STRICT;

CREATE TABLE records (
  record_id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs,
  position INTEGER NOT NULL,
  repeat INTEGER NOT NULL,
  sample_id TEXT NOT NULL,
  sample_ref INTEGER NOT NULL REFERENCES samples,
  verdict TEXT,
  answer TEXT,
  reason TEXT,
  failure_code TEXT,
  failure_message TEXT,
  failure_attempts INTEGER,
  prompt_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  stop_reason TEXT,
  ttft_ns INTEGER,
  latency_ns INTEGER NOT NULL,
  UNIQUE (run_id, position, repeat),
  CHECK ((verdict IS NULL) = (failure_code IS NOT NULL))
) STRICT;

CREATE TABLE turns (
  record_id INTEGER NOT NULL REFERENCES records ON DELETE CASCADE,
  turn INTEGER NOT NULL,
  prompt TEXT NOT NULL,
  prompt_text TEXT,
  completion TEXT,
  likelihoods TEXT,
  stop_reason TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  sent_ns INTEGER NOT NULL,
  ttft_ns INTEGER,
  latency_ns INTEGER NOT NULL,
  observation TEXT,
  PRIMARY KEY (record_id, turn)
) STRICT;

CREATE TABLE record_values (
  record_id INTEGER NOT NULL REFERENCES records ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  metric TEXT NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (record_id, ordinal)
) STRICT, WITHOUT ROWID;

CREATE VIEW v_runs AS
SELECT runs.run_id, task, task_version, model, model_kind, status, total,
       count(CASE WHEN r.verdict <> 'unscored' THEN 1 END) AS scored,
       count(r.failure_code) AS failed,
       primary_metric, primary_value, primary_low, primary_high,
       coalesce(sum(r.prompt_tokens), 0) AS prompt_tokens,
       coalesce(sum(r.completion_tokens), 0) AS completion_tokens,
       cost_usd, wall_ns, started_at, finished_at, suite, batch, spec_sha256
FROM runs LEFT JOIN records r USING (run_id)
GROUP BY runs.run_id;

CREATE VIEW v_records AS
SELECT r.run_id, r.sample_id, r.repeat, r.verdict,
       (SELECT v.value FROM record_values v
        WHERE v.record_id = r.record_id AND v.metric = runs.primary_metric) AS primary_value,
       r.answer, r.reason, r.prompt_tokens, r.completion_tokens, r.stop_reason, r.ttft_ns, r.latency_ns,
       r.failure_code, r.failure_message, r.position
FROM records r JOIN runs USING (run_id);

CREATE VIEW v_turns AS
SELECT r.run_id, r.sample_id, r.repeat, t.turn, t.prompt, t.completion, t.likelihoods, t.observation,
       t.prompt_text, t.stop_reason, t.prompt_tokens, t.completion_tokens, t.ttft_ns, t.latency_ns
FROM turns t JOIN records r USING (record_id);

CREATE VIEW v_values AS
SELECT r.run_id, r.sample_id, r.repeat, v.metric, v.value
FROM record_values v JOIN records r USING (record_id);
)sql";

constexpr const char* kVersion2 = "ALTER TABLE turns ADD COLUMN cut_tokens INTEGER NOT NULL DEFAULT 0";

constexpr const char* kVersion3 = R"sql(
ALTER TABLE turns ADD COLUMN forwarded_tokens INTEGER;
ALTER TABLE turns ADD COLUMN naive_tokens INTEGER;
)sql";

constexpr const char* kVersion4 = R"sql(
CREATE TABLE baselines (
  name TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  run_id INTEGER NOT NULL REFERENCES runs,
  PRIMARY KEY (name, ordinal)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kVersion5 = R"sql(
ALTER TABLE turns ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0;

CREATE TABLE attempts (
  record_id INTEGER NOT NULL REFERENCES records ON DELETE CASCADE,
  turn INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  part INTEGER NOT NULL,
  began_ns INTEGER NOT NULL,
  ended_ns INTEGER NOT NULL,
  status INTEGER,
  code TEXT,
  message TEXT,
  wait_asked_ns INTEGER,
  waited_ns INTEGER,
  request_id TEXT,
  bytes INTEGER NOT NULL,
  invalid_utf8_sha256 TEXT,
  PRIMARY KEY (record_id, turn, attempt)
) STRICT, WITHOUT ROWID;

CREATE VIEW v_attempts AS
SELECT r.run_id, r.sample_id, r.repeat, a.turn, a.attempt, a.part, a.status, a.code, a.message, a.began_ns,
       a.ended_ns, a.wait_asked_ns, a.waited_ns, a.request_id, a.bytes, a.invalid_utf8_sha256
FROM attempts a JOIN records r USING (record_id);

CREATE TABLE batches (
  batch_ref INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES runs,
  token TEXT NOT NULL,
  batch_id TEXT,
  sent_at TEXT NOT NULL,
  requests INTEGER NOT NULL
) STRICT;

CREATE TABLE batch_questions (
  batch_ref INTEGER NOT NULL REFERENCES batches ON DELETE CASCADE,
  question TEXT NOT NULL,
  PRIMARY KEY (batch_ref, question)
) STRICT, WITHOUT ROWID;
)sql";

// What records cost, by the price that is kept with their run; which answers are from the cache.
constexpr const char* kVersion6 = R"sql(
ALTER TABLE turns ADD COLUMN from_cache INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN from_cache INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN cost_pico INTEGER;

DROP VIEW v_runs;
CREATE VIEW v_runs AS
SELECT runs.run_id, task, task_version, model, model_kind, status, total,
       count(CASE WHEN r.verdict <> 'unscored' THEN 1 END) AS scored,
       count(r.failure_code) AS failed,
       primary_metric, primary_value, primary_low, primary_high,
       coalesce(sum(r.prompt_tokens), 0) AS prompt_tokens,
       coalesce(sum(r.completion_tokens), 0) AS completion_tokens,
       CASE WHEN count(r.record_id) = count(r.cost_pico) THEN CAST(sum(r.cost_pico) AS REAL) / 1e12 END AS cost_usd,
       wall_ns, started_at, finished_at, suite, batch, spec_sha256,
       coalesce(sum(r.from_cache), 0) AS from_cache
FROM runs LEFT JOIN records r USING (run_id)
GROUP BY runs.run_id;

DROP VIEW v_records;
CREATE VIEW v_records AS
SELECT r.run_id, r.sample_id, r.repeat, r.verdict,
       (SELECT v.value FROM record_values v
        WHERE v.record_id = r.record_id AND v.metric = runs.primary_metric) AS primary_value,
       r.answer, r.reason, r.prompt_tokens, r.completion_tokens, r.stop_reason, r.ttft_ns,
       CASE WHEN r.from_cache = 0 THEN r.latency_ns END AS latency_ns,
       r.failure_code, r.failure_message, r.position, CAST(r.cost_pico AS REAL) / 1e12 AS cost_usd, r.from_cache
FROM records r JOIN runs USING (run_id);

DROP VIEW v_turns;
CREATE VIEW v_turns AS
SELECT r.run_id, r.sample_id, r.repeat, t.turn, t.prompt, t.completion, t.likelihoods, t.observation,
       t.prompt_text, t.stop_reason, t.prompt_tokens, t.completion_tokens, t.ttft_ns,
       CASE WHEN t.from_cache = 0 THEN t.latency_ns END AS latency_ns, t.from_cache
FROM turns t JOIN records r USING (record_id);
)sql";

// Runs that workers do, a lease at a time.
constexpr const char* kVersion7 = R"sql(
CREATE TABLE queued_runs (
  run_id INTEGER NOT NULL REFERENCES runs,
  model TEXT NOT NULL,
  stopped TEXT,
  queued_ms INTEGER NOT NULL,
  PRIMARY KEY (run_id)
) STRICT;

CREATE TABLE leases (
  lease_id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES queued_runs ON DELETE CASCADE,
  first_position INTEGER NOT NULL,
  end_position INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  taken INTEGER NOT NULL DEFAULT 0,
  worker_id INTEGER,
  free_at_ms INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX leases_by_run ON leases (run_id, free_at_ms, lease_id);

CREATE TABLE workers (
  worker_id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  model TEXT,
  run_id INTEGER,
  records INTEGER NOT NULL DEFAULT 0,
  late INTEGER NOT NULL DEFAULT 0,
  leases INTEGER NOT NULL DEFAULT 0,
  samples_per_s REAL NOT NULL DEFAULT 0,
  began_ms INTEGER NOT NULL,
  alive_until_ms INTEGER NOT NULL
) STRICT;
)sql";

// What workers that ask one remote model may do together.
constexpr const char* kVersion8 = R"sql(
CREATE TABLE rates (
  account TEXT NOT NULL,
  requests_per_minute REAL,
  tokens_per_minute REAL,
  next_request_ms REAL NOT NULL DEFAULT 0,
  next_token_ms REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (account)
) STRICT;

CREATE TABLE budgets (
  budget_id INTEGER PRIMARY KEY AUTOINCREMENT,
  batch INTEGER NOT NULL,
  account TEXT NOT NULL,
  limit_pico INTEGER NOT NULL,
  spent_pico INTEGER NOT NULL DEFAULT 0,
  UNIQUE (batch, account)
) STRICT;

CREATE TABLE purses (
  budget_id INTEGER NOT NULL REFERENCES budgets ON DELETE CASCADE,
  worker_id INTEGER NOT NULL,
  held_pico INTEGER NOT NULL,
  PRIMARY KEY (budget_id, worker_id)
) STRICT;

ALTER TABLE queued_runs ADD COLUMN account TEXT;
ALTER TABLE queued_runs ADD COLUMN budget_id INTEGER;
)sql";

constexpr std::array<const char*, 8> kMigrations{kVersion1, kVersion2, kVersion3, kVersion4,
                                                 kVersion5, kVersion6, kVersion7, kVersion8};

}  // namespace

Migrations schema_migrations() { return kMigrations; }

}  // namespace micius
