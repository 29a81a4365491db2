#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
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

struct Totals {
  std::int64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0, latency_ns = 0;
};

Totals totals(const std::vector<Turn>& turns) {
  Totals sum;
  for (const Turn& turn : turns) {
    const Completion& c = turn.completion;
    sum.prompt_tokens += c.prompt_tokens;
    sum.cached_tokens += c.cached_tokens;
    sum.completion_tokens += c.completion_tokens;
    sum.latency_ns += ns_between(c.timing.planned, c.timing.done);
  }
  return sum;
}

}  // namespace

RecordWriter::RecordWriter(Database& database)
    : database_(&database),
      find_sample_(database, "SELECT sample_ref FROM samples WHERE sha256 = ?"),
      add_sample_(database, "INSERT INTO samples (sha256, sample) VALUES (?, ?)"),
      find_old_(database,
                "SELECT record_id, failure_code IS NOT NULL FROM records "
                "WHERE run_id = ? AND position = ? AND repeat = ?"),
      drop_old_(database, "DELETE FROM records WHERE record_id = ?"),
      add_record_(database,
                  "INSERT INTO records (run_id, position, repeat, sample_id, sample_ref, verdict, answer, "
                  "reason, failure_code, failure_message, failure_attempts, prompt_tokens, cached_tokens, "
                  "completion_tokens, stop_reason, ttft_ns, latency_ns) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      add_turn_(
          database,
          "INSERT INTO turns (record_id, turn, prompt, prompt_text, completion, likelihoods, stop_reason, "
          "prompt_tokens, cached_tokens, completion_tokens, sent_ns, ttft_ns, latency_ns, observation, "
          "cut_tokens, forwarded_tokens, naive_tokens) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      add_value_(database,
                 "INSERT INTO record_values (record_id, ordinal, metric, value) VALUES (?, ?, ?, ?)") {}

std::int64_t RecordWriter::sample_ref(const Sample& sample) {
  const std::string json = dump_json(to_json(sample));
  const std::string hash = sha256_hex(json);
  if (find_sample_.bind(hash).step()) {
    const std::int64_t found = find_sample_.integer(0);
    find_sample_.reset();
    return found;
  }
  find_sample_.reset();
  add_sample_.run(hash, json);
  return database_->last_insert_id();
}

void RecordWriter::write(const RecordKey& key, const Record& record) {
  if (find_old_.bind(key.run, key.position, record.repeat).step()) {
    const std::int64_t old = find_old_.integer(0);
    const bool failed = find_old_.integer(1) != 0;
    find_old_.reset();
    if (!failed) {
      fail(ErrorCode::kIo,
           "{}: run {} has a record of sample '{}', repeat {} already; another process is at work on this "
           "run: wait for "
           "it, or begin another run with --fresh",
           database_->path(), key.run, record.sample.id, record.repeat);
    }
    drop_old_.run(old);
  }
  find_old_.reset();

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
  add_record_.run(key.run, key.position, record.repeat, record.sample.id, sample_ref(record.sample), verdict,
                  answer, reason, code, message, attempts, sum.prompt_tokens, sum.cached_tokens,
                  sum.completion_tokens, stop_reason, ttft, sum.latency_ns);
  const std::int64_t record_id = database_->last_insert_id();
  for (std::size_t i = 0; i < record.turns.size(); ++i) write_turn(record_id, i, record.turns[i]);
  for (std::size_t i = 0; i < score.values.size(); ++i)
    add_value_.run(record_id, i, score.values[i].metric, score.values[i].value);
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
                ns_between(c.timing.planned, c.timing.done), unless_empty(value.observation), c.cut_tokens,
                forwarded, naive);
}

RecordReader::RecordReader(Database& database)
    : path_(database.path()),
      page_(database,
            "SELECT record_id, position, repeat, sample, verdict, answer, reason, failure_code, "
            "failure_message, failure_attempts FROM records JOIN samples USING (sample_ref) "
            "WHERE run_id = ? AND (position, repeat) > (?, ?) ORDER BY position, repeat LIMIT 64"),
      turns_(
          database,
          "SELECT prompt, prompt_text, completion, likelihoods, stop_reason, prompt_tokens, cached_tokens, "
          "completion_tokens, sent_ns, ttft_ns, latency_ns, observation, cut_tokens, "
          "forwarded_tokens, naive_tokens FROM turns WHERE record_id = ? ORDER BY turn"),
      values_(database, "SELECT metric, value FROM record_values WHERE record_id = ? ORDER BY ordinal") {}

void RecordReader::for_each(std::int64_t run, Turns turns, const std::function<void(const Record&)>& fn) {
  std::int64_t position = -1, repeat = 0;
  while (true) {
    std::vector<Record> page;
    page_.bind(run, position, repeat);
    while (page_.step()) {
      position = page_.integer(1);
      repeat = page_.integer(2);
      page.push_back(read(fmt::format("{}: run {}, record {}", path_, run, page_.integer(0)), turns));
    }
    page_.reset();
    if (page.empty()) return;
    for (const Record& record : page) fn(record);
  }
}

Record RecordReader::read(const std::string& where, Turns turns) {
  Record record;
  record.sample = sample_from_json(parse_json(page_.text(3), where), where);
  record.repeat = static_cast<int>(page_.integer(2));
  if (page_.is_null(7)) {
    record.score = {verdict_from(page_.text(4)), {}, page_.text(5), page_.text(6)};
  } else {
    record.failure = Failure{page_.text(7), page_.text(8), static_cast<int>(page_.integer(9))};
  }
  const std::int64_t record_id = page_.integer(0);
  if (turns == Turns::kRead) read_turns(record_id, record, where);
  values_.bind(record_id);
  while (values_.step()) record.score.values.push_back({values_.text(0), values_.real(1)});
  values_.reset();
  return record;
}

void RecordReader::read_turns(std::int64_t record_id, Record& record, const std::string& where) {
  turns_.bind(record_id);
  while (turns_.step()) {
    Turn turn;
    turn.prompt = prompt_from_json(parse_json(turns_.text(0), where), where, record.sample.id);
    Completion& c = turn.completion;
    c.prompt_text = turns_.text(1);
    c.text = turns_.text(2);
    if (!turns_.is_null(3)) c.likelihoods = likelihoods_from_json(parse_json(turns_.text(3), where), where);
    c.stop_reason = stop_reason_from(turns_.text(4));
    if (c.stop_reason == StopReason::kFailed) c.failure = record.failure;
    c.prompt_tokens = static_cast<int>(turns_.integer(5));
    c.cached_tokens = static_cast<int>(turns_.integer(6));
    c.completion_tokens = static_cast<int>(turns_.integer(7));
    c.timing.sent = at_ns(turns_.integer(8));
    if (!turns_.is_null(9)) c.timing.first_token = at_ns(turns_.integer(9));
    c.timing.done = at_ns(turns_.integer(10));
    turn.observation = turns_.text(11);
    c.cut_tokens = static_cast<int>(turns_.integer(12));
    if (!turns_.is_null(13)) {
      c.work = {static_cast<std::uint64_t>(turns_.integer(13)),
                static_cast<std::uint64_t>(turns_.integer(14))};
    }
    record.turns.push_back(std::move(turn));
  }
  turns_.reset();
}

}  // namespace micius
