#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "core/cost.h"
#include "core/from_cache.h"
#include "core/names.h"
#include "core/record_json.h"
#include "store/record_rows_internal.h"

namespace micius {
namespace {

std::int64_t ns_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count();
}

Clock::time_point at_ns(std::int64_t ns) {
  return Clock::time_point(
      std::chrono::duration_cast<Clock::time_point::duration>(std::chrono::nanoseconds(ns)));
}

std::optional<std::int64_t> ttft_ns(const Timing& timing) {
  if (!timing.first_token) return std::nullopt;
  return ns_between(timing.planned, *timing.first_token);
}

std::optional<std::string_view> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

std::optional<std::int64_t> count_of(const std::optional<std::chrono::nanoseconds>& time) {
  return time ? std::optional<std::int64_t>(time->count()) : std::nullopt;
}

struct Totals {
  std::int64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0, latency_ns = 0, from_cache = 0;
};

Totals totals(const std::vector<Turn>& turns) {
  Totals sum;
  for (const Turn& turn : turns) {
    const Completion& c = turn.completion;
    sum.prompt_tokens += c.prompt_tokens;
    sum.cached_tokens += c.cached_tokens;
    sum.completion_tokens += c.completion_tokens;
    sum.latency_ns += is_from_cache(c) ? 0 : ns_between(c.timing.planned, c.timing.done);
    sum.from_cache += is_from_cache(c) ? 1 : 0;
  }
  return sum;
}

}  // namespace

RecordWriter::RecordWriter(Database& database)
    : database_(&database),
      find_sample_(database, "SELECT sample_ref FROM samples WHERE sha256 = ?"),
      add_sample_(database,
                  "INSERT INTO samples (sha256, sample) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING "
                  "RETURNING sample_ref"),
      drop_failed_(database,
                   "DELETE FROM records WHERE run_id = ? AND position = ? AND repeat = ? AND failure_code IS "
                   "NOT NULL"),
      add_record_(database,
                  "INSERT INTO records (run_id, position, repeat, sample_id, sample_ref, verdict, answer, "
                  "reason, failure_code, failure_message, failure_attempts, prompt_tokens, cached_tokens, "
                  "completion_tokens, stop_reason, ttft_ns, latency_ns, from_cache, cost_pico) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                  "ON CONFLICT (run_id, position, repeat) DO NOTHING RETURNING record_id"),
      add_turn_(
          database,
          "INSERT INTO turns (record_id, turn, prompt, prompt_text, completion, likelihoods, stop_reason, "
          "prompt_tokens, cached_tokens, completion_tokens, sent_ns, ttft_ns, latency_ns, observation, "
          "cut_tokens, forwarded_tokens, naive_tokens, cache_write_tokens, from_cache) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      add_attempt_(database,
                   "INSERT INTO attempts (record_id, turn, attempt, part, began_ns, ended_ns, status, code, "
                   "message, wait_asked_ns, waited_ns, request_id, bytes, invalid_utf8_sha256) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      add_value_(database,
                 "INSERT INTO record_values (record_id, ordinal, metric, value) VALUES (?, ?, ?, ?)") {}

// The first column of the statement's only row, if there is one.
std::optional<std::int64_t> RecordWriter::number(Statement& statement) {
  std::optional<std::int64_t> found;
  if (statement.step()) found = statement.integer(0);
  statement.reset();
  return found;
}

std::int64_t RecordWriter::sample_ref(const Sample& sample) {
  const std::string json = dump_json(to_json(sample));
  const std::string hash = sha256_hex(json);
  if (const auto found = number(find_sample_.bind(hash))) return *found;
  if (const auto added = number(add_sample_.bind(hash, json))) return *added;
  // Another process has added it between the two.
  return number(find_sample_.bind(hash)).value();
}

void RecordWriter::write(const RecordKey& key, const Record& record) {
  drop_failed_.run(key.run, key.position, record.repeat);
  const bool good = !record.failure;
  const Score& score = record.score;
  std::optional<std::string_view> verdict, answer, reason, code, message, stop_reason;
  std::optional<int> attempts;
  std::optional<std::int64_t> ttft;
  if (good) {
    verdict = name_of(score.verdict);
    answer = score.answer;
    reason = score.reason;
  } else {
    code = record.failure->code;
    message = record.failure->message;
    attempts = record.failure->attempts;
  }
  if (!record.turns.empty()) {
    stop_reason = name_of(record.turns.back().completion.stop_reason);
    ttft = ttft_ns(record.turns.front().completion.timing);
  }
  const Totals sum = totals(record.turns);
  const std::optional<std::int64_t> added = number(
      add_record_.bind(key.run, key.position, record.repeat, record.sample.id, sample_ref(record.sample),
                       verdict, answer, reason, code, message, attempts, sum.prompt_tokens, sum.cached_tokens,
                       sum.completion_tokens, stop_reason, ttft, sum.latency_ns, sum.from_cache,
                       key.price ? paid_pico(*key.price, record) : std::nullopt));
  if (!added) {
    fail(ErrorCode::kIo,
         "{}: run {} has a record of sample '{}', repeat {} already; another process is at work on this run: "
         "wait for it, or begin another run with --fresh",
         database_->name(), key.run, record.sample.id, record.repeat);
  }
  for (std::size_t i = 0; i < record.turns.size(); ++i) write_turn(*added, i, record.turns[i]);
  for (std::size_t i = 0; i < score.values.size(); ++i)
    add_value_.run(*added, i, score.values[i].metric, score.values[i].value);
}

void RecordWriter::write_turn(std::int64_t record_id, std::size_t turn, const Turn& value) {
  const Completion& c = value.completion;
  std::optional<std::string_view> text;
  std::optional<std::string> likelihoods;
  if (std::holds_alternative<LikelihoodInput>(value.prompt.input)) {
    likelihoods = dump_json(to_json(c.likelihoods));
  } else {
    text = c.text;
  }
  std::optional<std::int64_t> forwarded, naive;
  if (c.work) {
    forwarded = static_cast<std::int64_t>(c.work->forwarded);
    naive = static_cast<std::int64_t>(c.work->naive);
  }
  add_turn_.run(record_id, turn, dump_json(to_json(value.prompt)), unless_empty(c.prompt_text), text,
                likelihoods, name_of(c.stop_reason), c.prompt_tokens, c.cached_tokens, c.completion_tokens,
                ns_between(c.timing.planned, c.timing.sent), ttft_ns(c.timing),
                is_from_cache(c) ? 0 : ns_between(c.timing.planned, c.timing.done),
                unless_empty(value.observation), c.cut_tokens, forwarded, naive, c.cache_write_tokens,
                is_from_cache(c) ? 1 : 0);
  write_attempts(record_id, turn, c.attempts);
}

void RecordWriter::write_attempts(std::int64_t record_id, std::size_t turn,
                                  const std::vector<Attempt>& attempts) {
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const Attempt& a = attempts[i];
    std::optional<int> status;
    if (a.status != 0) status = a.status;
    add_attempt_.run(record_id, turn, i, a.part, a.began.count(), a.ended.count(), status,
                     unless_empty(a.code), unless_empty(a.message), count_of(a.wait_asked),
                     count_of(a.waited), unless_empty(a.request_id), static_cast<std::int64_t>(a.bytes),
                     unless_empty(a.invalid_utf8_sha256));
  }
}

RecordReader::RecordReader(Database& database)
    : name_(database.name()),
      page_(database,
            "SELECT record_id, position, repeat, sample, verdict, answer, reason, failure_code, "
            "failure_message, failure_attempts FROM records JOIN samples USING (sample_ref) "
            "WHERE run_id = ? AND (position, repeat) > (?, ?) ORDER BY position, repeat LIMIT 64"),
      turns_(database,
             "SELECT t.record_id, prompt, prompt_text, completion, likelihoods, t.stop_reason, "
             "t.prompt_tokens, t.cached_tokens, t.completion_tokens, sent_ns, t.ttft_ns, t.latency_ns, "
             "observation, cut_tokens, forwarded_tokens, naive_tokens, cache_write_tokens, t.from_cache "
             "FROM records JOIN turns t USING (record_id) "
             "WHERE run_id = ? AND (position, repeat) > (?, ?) AND (position, repeat) <= (?, ?) "
             "ORDER BY position, repeat, turn"),
      attempts_(database,
                "SELECT a.record_id, turn, part, began_ns, ended_ns, status, code, message, wait_asked_ns, "
                "waited_ns, request_id, bytes, invalid_utf8_sha256 "
                "FROM records JOIN attempts a USING (record_id) "
                "WHERE run_id = ? AND (position, repeat) > (?, ?) AND (position, repeat) <= (?, ?) "
                "ORDER BY position, repeat, turn, attempt"),
      values_(database,
              "SELECT v.record_id, metric, value FROM records JOIN record_values v USING (record_id) "
              "WHERE run_id = ? AND (position, repeat) > (?, ?) AND (position, repeat) <= (?, ?) "
              "ORDER BY position, repeat, ordinal") {}

// A record that another process replaces between the three statements is there without turns and values, or
// as the failed one that it was; never in part.
void RecordReader::for_each(std::int64_t run, Turns turns, const std::function<void(const Record&)>& fn) {
  Page page;
  page.run = run;
  while (true) {
    read_records(page);
    if (page.records.empty()) return;
    if (turns == Turns::kRead) {
      read_turns(page);
      read_attempts(page);
    }
    read_values(page);
    for (const Record& record : page.records) fn(record);
  }
}

std::string RecordReader::where(const Page& page, std::int64_t record_id) const {
  return fmt::format("{}: run {}, record {}", name_, page.run, record_id);
}

// Goes on behind the page's last record.
void RecordReader::read_records(Page& page) {
  page.records.clear();
  page.index_of.clear();
  page.before_position = page.position;
  page.before_repeat = page.repeat;
  page_.bind(page.run, page.position, page.repeat);
  while (page_.step()) {
    const std::int64_t id = page_.integer(0);
    page.position = page_.integer(1);
    page.repeat = page_.integer(2);
    page.index_of.emplace(id, page.records.size());
    Record& record = page.records.emplace_back();
    record.sample = sample_from_json(parse_json(page_.text(3), where(page, id)), where(page, id));
    record.repeat = static_cast<int>(page.repeat);
    if (page_.is_null(7)) {
      record.score = {verdict_from(page_.text(4)), {}, page_.text(5), page_.text(6)};
    } else {
      record.failure = Failure{page_.text(7), page_.text(8), static_cast<int>(page_.integer(9))};
    }
  }
  page_.reset();
}

void RecordReader::read_values(Page& page) {
  values_.bind(page.run, page.before_position, page.before_repeat, page.position, page.repeat);
  while (values_.step()) {
    const auto index = page.index_of.find(values_.integer(0));
    if (index == page.index_of.end()) continue;
    page.records[index->second].score.values.push_back({values_.text(1), values_.real(2)});
  }
  values_.reset();
}

void RecordReader::read_turns(Page& page) {
  turns_.bind(page.run, page.before_position, page.before_repeat, page.position, page.repeat);
  while (turns_.step()) {
    const std::int64_t id = turns_.integer(0);
    const auto index = page.index_of.find(id);
    if (index == page.index_of.end()) continue;
    Record& record = page.records[index->second];
    const std::string place = where(page, id);
    Turn turn;
    turn.prompt = prompt_from_json(parse_json(turns_.text(1), place), place, record.sample.id);
    Completion& c = turn.completion;
    c.prompt_text = turns_.text(2);
    c.text = turns_.text(3);
    if (!turns_.is_null(4)) c.likelihoods = likelihoods_from_json(parse_json(turns_.text(4), place), place);
    c.stop_reason = stop_reason_from(turns_.text(5));
    if (c.stop_reason == StopReason::kFailed) c.failure = record.failure;
    c.prompt_tokens = static_cast<int>(turns_.integer(6));
    c.cached_tokens = static_cast<int>(turns_.integer(7));
    c.completion_tokens = static_cast<int>(turns_.integer(8));
    c.timing.sent = at_ns(turns_.integer(9));
    if (!turns_.is_null(10)) c.timing.first_token = at_ns(turns_.integer(10));
    c.timing.done = at_ns(turns_.integer(11));
    turn.observation = turns_.text(12);
    c.cut_tokens = static_cast<int>(turns_.integer(13));
    if (!turns_.is_null(14)) {
      c.work = {static_cast<std::uint64_t>(turns_.integer(14)),
                static_cast<std::uint64_t>(turns_.integer(15))};
    }
    c.cache_write_tokens = static_cast<int>(turns_.integer(16));
    if (turns_.integer(17) != 0) mark_from_cache(c, {});
    record.turns.push_back(std::move(turn));
  }
  turns_.reset();
}

void RecordReader::read_attempts(Page& page) {
  const auto time_at = [this](int column) -> std::optional<std::chrono::nanoseconds> {
    if (attempts_.is_null(column)) return std::nullopt;
    return std::chrono::nanoseconds(attempts_.integer(column));
  };
  attempts_.bind(page.run, page.before_position, page.before_repeat, page.position, page.repeat);
  while (attempts_.step()) {
    const auto index = page.index_of.find(attempts_.integer(0));
    if (index == page.index_of.end()) continue;
    std::vector<Turn>& turns = page.records[index->second].turns;
    const auto turn = static_cast<std::size_t>(attempts_.integer(1));
    if (turn >= turns.size()) continue;  // of a record that was replaced between the statements
    Attempt a;
    a.part = static_cast<std::size_t>(attempts_.integer(2));
    a.began = std::chrono::nanoseconds(attempts_.integer(3));
    a.ended = std::chrono::nanoseconds(attempts_.integer(4));
    if (!attempts_.is_null(5)) a.status = static_cast<int>(attempts_.integer(5));
    a.code = attempts_.text(6);
    a.message = attempts_.text(7);
    a.wait_asked = time_at(8);
    a.waited = time_at(9);
    a.request_id = attempts_.text(10);
    a.bytes = static_cast<std::uint64_t>(attempts_.integer(11));
    a.invalid_utf8_sha256 = attempts_.text(12);
    turns[turn].completion.attempts.push_back(std::move(a));
  }
  attempts_.reset();
}

}  // namespace micius
