#include <algorithm>
#include <chrono>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "core/cost.h"
#include "core/names.h"
#include "core/record_json.h"
#include "store/record_rows_internal.h"

namespace micius {
namespace {

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
    sum.latency_ns += c.from_cache ? 0 : ns_between(c.timing.planned, c.timing.done);
    sum.from_cache += c.from_cache ? 1 : 0;
  }
  return sum;
}

}  // namespace

RecordWriter::RecordWriter(Database& database)
    : database_(&database),
      find_failed_(database,
                   "SELECT position, repeat FROM records WHERE run_id = ? AND position >= ? AND "
                   "position <= ? AND failure_code IS NOT NULL"),
      drop_failed_(database,
                   "DELETE FROM records WHERE run_id = ? AND position = ? AND repeat = ? AND failure_code IS "
                   "NOT NULL"),
      samples_(database, "samples", "sha256, sample", " ON CONFLICT (sha256) DO NOTHING"),
      records_(database, "records",
               "run_id, position, repeat, sample_id, sample_ref, verdict, answer, reason, failure_code, "
               "failure_message, failure_attempts, prompt_tokens, cached_tokens, completion_tokens, "
               "stop_reason, ttft_ns, latency_ns, from_cache, cost_pico",
               " ON CONFLICT (run_id, position, repeat) DO NOTHING RETURNING record_id, position, repeat"),
      turns_(database, "turns",
             "record_id, turn, prompt, prompt_text, completion, likelihoods, stop_reason, prompt_tokens, "
             "cached_tokens, completion_tokens, sent_ns, ttft_ns, latency_ns, observation, cut_tokens, "
             "forwarded_tokens, naive_tokens, cache_write_tokens, from_cache"),
      attempts_(database, "attempts",
                "record_id, turn, attempt, part, began_ns, ended_ns, status, code, message, wait_asked_ns, "
                "waited_ns, request_id, bytes, invalid_utf8_sha256"),
      values_(database, "record_values", "record_id, ordinal, metric, value") {}

void RecordWriter::find_samples(std::span<const std::string> hashes, Refs& refs) {
  while (!hashes.empty()) {
    const std::size_t count = rows_at_once(hashes.size());
    auto find = find_samples_.find(count);
    if (find == find_samples_.end()) {
      find = find_samples_
                 .emplace(std::piecewise_construct, std::forward_as_tuple(count),
                          std::forward_as_tuple(*database_,
                                                "SELECT sha256, sample_ref FROM samples WHERE sha256 IN (" +
                                                    repeated("?", count) + ")"))
                 .first;
    }
    const std::vector<SqlValue> values(hashes.begin(), hashes.begin() + static_cast<std::ptrdiff_t>(count));
    Statement& row = find->second;
    row.bind_all(values);
    while (row.step()) refs.emplace(row.text(0), row.integer(1));
    row.reset();
    hashes = hashes.subspan(count);
  }
}

std::vector<std::int64_t> RecordWriter::sample_refs(std::span<const Sample* const> samples) {
  std::vector<std::string> json, hashes;
  for (const Sample* sample : samples) {
    json.push_back(dump_json(to_json(*sample)));
    hashes.push_back(sha256_hex(json.back()));
  }
  Refs refs;
  find_samples(hashes, refs);
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (!refs.emplace(hashes[i], -1).second) continue;
    missing.push_back(hashes[i]);
    samples_.add(hashes[i], json[i]);
  }
  samples_.insert();
  for (const std::string& hash : missing) refs.erase(hash);
  find_samples(missing, refs);  // where another process has added them, too
  std::vector<std::int64_t> found;
  for (const std::string& hash : hashes) found.push_back(refs.at(hash));
  return found;
}

void RecordWriter::add_samples(std::span<const Sample* const> samples) {
  while (!samples.empty()) {
    const std::size_t count = std::min(samples.size(), BulkInsert::kMostRows);
    sample_refs(samples.first(count));
    samples = samples.subspan(count);
  }
}

void RecordWriter::drop_failed(std::int64_t run, std::span<const RecordRow> rows) {
  using Key = std::pair<std::int64_t, std::int64_t>;  // position and repeat
  std::set<Key> keys, failed;
  for (const RecordRow& row : rows) keys.emplace(static_cast<std::int64_t>(row.position), row.record->repeat);
  find_failed_.bind(run, keys.begin()->first, keys.rbegin()->first);
  while (find_failed_.step()) failed.emplace(find_failed_.integer(0), find_failed_.integer(1));
  find_failed_.reset();
  for (const Key& key : failed)
    if (keys.count(key) != 0) drop_failed_.run(run, key.first, key.second);
}

std::vector<std::size_t> RecordWriter::write(std::int64_t run, const std::optional<Price>& price,
                                             std::span<const RecordRow> rows) {
  std::vector<std::size_t> in_the_way;
  if (rows.empty()) return in_the_way;
  for (BulkInsert* part : {&samples_, &records_, &turns_, &attempts_, &values_}) part->drop();
  drop_failed(run, rows);
  std::vector<const Sample*> samples;
  for (const RecordRow& row : rows) samples.push_back(&row.record->sample);
  const std::vector<std::int64_t> refs = sample_refs(samples);
  for (std::size_t i = 0; i < rows.size(); ++i) add_record(run, price, rows[i], refs[i]);
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> added;  // by position and repeat
  records_.insert([&](const Statement& row) { added[{row.integer(1), row.integer(2)}] = row.integer(0); });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Record& record = *rows[i].record;
    const auto id = added.find({static_cast<std::int64_t>(rows[i].position), record.repeat});
    if (id == added.end()) {
      in_the_way.push_back(i);
      continue;
    }
    for (std::size_t t = 0; t < record.turns.size(); ++t) add_turn(id->second, t, record.turns[t]);
    for (std::size_t v = 0; v < record.score.values.size(); ++v)
      values_.add(id->second, v, record.score.values[v].metric, record.score.values[v].value);
  }
  turns_.insert();
  attempts_.insert();
  values_.insert();
  return in_the_way;
}

void RecordWriter::add_record(std::int64_t run, const std::optional<Price>& price, const RecordRow& row,
                              std::int64_t sample_ref) {
  const Record& record = *row.record;
  const Score& score = record.score;
  std::optional<std::string_view> verdict, answer, reason, code, message, stop_reason;
  std::optional<int> attempts;
  std::optional<std::int64_t> ttft;
  if (record.failure) {
    code = record.failure->code;
    message = record.failure->message;
    attempts = record.failure->attempts;
  } else {
    verdict = name_of(score.verdict);
    answer = score.answer;
    reason = score.reason;
  }
  if (!record.turns.empty()) {
    stop_reason = name_of(record.turns.back().completion.stop_reason);
    ttft = ttft_ns(record.turns.front().completion.timing);
  }
  const Totals sum = totals(record.turns);
  records_.add(run, row.position, record.repeat, record.sample.id, sample_ref, verdict, answer, reason, code,
               message, attempts, sum.prompt_tokens, sum.cached_tokens, sum.completion_tokens, stop_reason,
               ttft, sum.latency_ns, sum.from_cache, price ? paid_pico(*price, record) : std::nullopt);
}

void RecordWriter::add_turn(std::int64_t record_id, std::size_t turn, const Turn& value) {
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
  turns_.add(record_id, turn, dump_json(to_json(value.prompt)), unless_empty(c.prompt_text), text,
             likelihoods, name_of(c.stop_reason), c.prompt_tokens, c.cached_tokens, c.completion_tokens,
             ns_between(c.timing.planned, c.timing.sent), ttft_ns(c.timing),
             c.from_cache ? 0 : ns_between(c.timing.planned, c.timing.done), unless_empty(value.observation),
             c.cut_tokens, forwarded, naive, c.cache_write_tokens, c.from_cache ? 1 : 0);
  add_attempts(record_id, turn, c.attempts);
}

void RecordWriter::add_attempts(std::int64_t record_id, std::size_t turn,
                                const std::vector<Attempt>& attempts) {
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const Attempt& a = attempts[i];
    std::optional<int> status;
    if (a.status != 0) status = a.status;
    attempts_.add(record_id, turn, i, a.part, a.began.count(), a.ended.count(), status, unless_empty(a.code),
                  unless_empty(a.message), count_of(a.wait_asked), count_of(a.waited),
                  unless_empty(a.request_id), static_cast<std::int64_t>(a.bytes),
                  unless_empty(a.invalid_utf8_sha256));
  }
}

RecordReader::RecordReader(Database& database)
    : name_(database.name()),
      page_(database,
            "SELECT record_id, position, repeat, sample, verdict, answer, reason, failure_code, "
            "failure_message, failure_attempts FROM records JOIN samples USING (sample_ref) "
            "WHERE run_id = ? AND (position, repeat) > (?, ?) AND position < ? "
            "ORDER BY position, repeat LIMIT 64"),
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
void RecordReader::for_each(std::int64_t run, Turns turns, const std::function<void(const Record&)>& fn,
                            const Positions& positions) {
  Page page;
  page.run = run;
  page.end = positions.end;
  page.position = positions.first - 1;
  page.repeat = std::numeric_limits<int>::max();  // behind all of the position before
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
  page_.bind(page.run, page.position, page.repeat, page.end);
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
    c.timing.sent = after_ns({}, turns_.integer(9));
    if (!turns_.is_null(10)) c.timing.first_token = after_ns({}, turns_.integer(10));
    c.timing.done = after_ns({}, turns_.integer(11));
    turn.observation = turns_.text(12);
    c.cut_tokens = static_cast<int>(turns_.integer(13));
    if (!turns_.is_null(14)) {
      c.work = {static_cast<std::uint64_t>(turns_.integer(14)),
                static_cast<std::uint64_t>(turns_.integer(15))};
    }
    c.cache_write_tokens = static_cast<int>(turns_.integer(16));
    c.from_cache = turns_.integer(17) != 0;
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
