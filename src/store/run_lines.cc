#include <limits>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/text.h"
#include "core/attempt_json.h"
#include "core/names.h"
#include "core/record_json.h"
#include "store/run_lines_internal.h"

namespace micius {
namespace {

// Sums over all turns of a record stay far from overflow.
constexpr std::int64_t kLongestNs = 1'000'000'000'000'000;
constexpr std::int64_t kMostWork = 1'000'000'000'000'000;

Json run_json(const Run& run) {
  return {{"status", name_of(run.status)},
          {"started", run.started},
          {"finished", run.finished},
          {"wall_ns", run.wall_ns},
          {"spec", to_json(run.spec)}};
}

const Json& list_of(const JsonFields& fields, const std::string& key) {
  const Json& list = fields.at(key);
  if (!list.is_array()) fail(ErrorCode::kInvalidData, "{}: field '{}' must be a list", fields.where(), key);
  return list;
}

// A whole number from 0 on.
std::int64_t count_of(const JsonFields& fields, const std::string& key, std::int64_t most) {
  const std::int64_t value = fields.integer(key);
  if (value < 0 || value > most)
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be 0 to {}, found {}", fields.where(), key, most,
         value);
  return value;
}

int tokens_of(const JsonFields& fields, const std::string& key) {
  return fields.has(key) ? static_cast<int>(count_of(fields, key, std::numeric_limits<int>::max())) : 0;
}

Clock::time_point time_of(const JsonFields& fields, const std::string& key) {
  return after_ns({}, count_of(fields, key, kLongestNs));
}

std::vector<Value> values_from(const JsonFields& f) {
  std::vector<Value> values;
  for (const Json& item : list_of(f, "values")) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_string() || !item[1].is_number())
      fail(ErrorCode::kInvalidData, "{}: field 'values' must be a list of [metric, number]", f.where());
    values.push_back({item[0].get<std::string>(), item[1].get<double>()});
  }
  return values;
}

Turn turn_from(const Json& json, const std::string& where, const Record& record) {
  const JsonFields f(json, where);
  Turn turn;
  turn.prompt = prompt_from_json(f.at("prompt"), f.where() + ".prompt", record.sample.id);
  Completion& c = turn.completion;
  c.prompt_text = f.string_or("prompt_text", "");
  if (std::holds_alternative<LikelihoodInput>(turn.prompt.input)) {
    c.likelihoods = likelihoods_from_json(list_of(f, "likelihoods"), f.where() + ".likelihoods");
  } else {
    c.text = f.string("completion");
  }
  c.stop_reason = stop_reason_from(f.string("stop_reason"), f.where());
  if (c.stop_reason == StopReason::kFailed) c.failure = record.failure;
  c.prompt_tokens = tokens_of(f, "prompt_tokens");
  c.cached_tokens = tokens_of(f, "cached_tokens");
  c.cache_write_tokens = tokens_of(f, "cache_write_tokens");
  c.completion_tokens = tokens_of(f, "completion_tokens");
  c.cut_tokens = tokens_of(f, "cut_tokens");
  if (f.has("work")) {
    const JsonFields work = f.object("work");
    c.work = {static_cast<std::uint64_t>(count_of(work, "forwarded", kMostWork)),
              static_cast<std::uint64_t>(count_of(work, "naive", kMostWork))};
  }
  c.timing.sent = time_of(f, "sent_ns");
  if (f.has("ttft_ns")) c.timing.first_token = time_of(f, "ttft_ns");
  c.from_cache = f.boolean_or("from_cache", false);
  if (!c.from_cache) c.timing.done = time_of(f, "latency_ns");
  if (f.has("attempts")) c.attempts = attempts_from_json(list_of(f, "attempts"), f.where() + ".attempts");
  turn.observation = f.string_or("observation", "");
  return turn;
}

// The first place at which a file says what would be lost once it is read: a field that nobody knows, or a
// value that is out of range.
std::string first_lost(const Json& said, const Json& kept, const std::string& path) {
  if (said.is_object() && kept.is_object()) {
    for (const auto& [key, value] : said.items()) {
      std::string at = path + "." + key;
      const auto it = kept.find(key);
      if (it == kept.end()) return at;
      if (std::string lost = first_lost(value, *it, at); !lost.empty()) return lost;
    }
    return "";
  }
  if (said.is_array() && kept.is_array() && said.size() == kept.size()) {
    for (std::size_t i = 0; i < said.size(); ++i) {
      const std::string at = path + "." + std::to_string(i);
      if (std::string lost = first_lost(said[i], kept[i], at); !lost.empty()) return lost;
    }
    return "";
  }
  return said == kept ? "" : path;
}

void check_kept(const Json& said, const Json& kept, const char* what, const std::string& where) {
  const std::string lost = first_lost(said, kept, what);
  if (!lost.empty())
    fail(ErrorCode::kInvalidData, "{}: field '{}' is unknown here or out of range", where,
         visible_line(shorten(lost, 120)));
}

void check_numbers(const RunSpec& spec, const std::string& where) {
  if (spec.repeats < 1) fail(ErrorCode::kInvalidData, "{}: field 'repeats' must be 1 or more", where);
  if (static_cast<std::int64_t>(spec.dataset.samples) < 0)
    fail(ErrorCode::kInvalidData, "{}.dataset: field 'samples' must be 0 or more", where);
  for (const MetricInfo& metric : spec.metrics)
    if (metric.k < 1) fail(ErrorCode::kInvalidData, "{}.metrics: field 'k' must be 1 or more", where);
}

// Options that are read by name later must be what they are read as.
void check_words(const Json& object, const std::string& where) {
  if (!object.is_object()) fail(ErrorCode::kInvalidData, "{}: must be an object", where);
  for (const char* key : {"numerics", "selective_v", "device", "system", "profile"}) {
    const auto it = object.find(key);
    if (it != object.end() && !it->is_string())
      fail(ErrorCode::kInvalidData, "{}: field '{}' must be a string", where, key);
  }
}

}  // namespace

std::string run_line(const Run& run) { return dump_json({{"run", run_json(run)}}) + "\n"; }
std::string record_line(const Record& record) {
  return dump_json({{"record", whole_record_json(record)}}) + "\n";
}

Run run_from_line(const Json& json, const std::string& where) {
  const JsonFields f(json, where);
  Run run;
  run.status = run_status_from(f.string("status"), where);
  run.started = f.string("started");
  run.finished = f.string("finished");
  run.wall_ns = count_of(f, "wall_ns", std::numeric_limits<std::int64_t>::max());
  const RunSpec& spec = run.spec = run_spec_from_json(f.at("spec"), where + ".spec");
  check_numbers(spec, where + ".spec");
  check_words(spec.task_params, where + ".spec.task_params");
  check_words(spec.model_options, where + ".spec.model_options");
  check_words(spec.tags, where + ".spec.tags");
  check_words(spec.environment, where + ".spec.environment");
  check_kept(json, run_json(run), "run", where);
  if (run.status != RunStatus::kComplete && spec.environment.contains("rescored"))
    fail(ErrorCode::kUnsupported,
         "{}: a rescored run that is not complete needs the run that it was made from; `micius resume` where "
         "that is, then export it",
         where);
  return run;
}

Record record_from_line(const Json& json, const std::string& where) {
  const JsonFields f(json, where);
  Record record;
  record.sample = sample_from_json(f.at("sample"), where + ".sample");
  record.repeat = static_cast<int>(f.integer("repeat"));
  if (f.has("failure")) {
    const JsonFields failure = f.object("failure");
    record.failure = Failure{failure.string("code"), failure.string("message"),
                             static_cast<int>(failure.integer("attempts"))};
  } else {
    record.score = {verdict_from(f.string("verdict"), where), {}, f.string("answer"), f.string("reason")};
  }
  record.score.values = values_from(f);
  const Json& turns = list_of(f, "turns");
  for (std::size_t i = 0; i < turns.size(); ++i)
    record.turns.push_back(turn_from(turns[i], fmt::format("{}.turns.{}", where, i), record));
  check_kept(json, whole_record_json(record), "record", where);
  return record;
}

void RunHash::add(std::string_view line) {
  hash_.update(line);
  ++lines_;
}

RecordOrder::RecordOrder(const Run& run, const std::string& where)
    : status_(run.status),
      repeats_(static_cast<std::size_t>(run.spec.repeats)),
      total_(run.spec.sample_ids.size() * repeats_) {
  for (std::size_t i = 0; i < run.spec.sample_ids.size(); ++i)
    if (!positions_.emplace(run.spec.sample_ids[i], i).second)
      fail(ErrorCode::kInvalidData, "{}.spec.sample_ids: '{}' stands there twice", where,
           visible_line(shorten(run.spec.sample_ids[i], 64)));
}

void RecordOrder::check(const Record& record, const std::string& where) {
  const auto position = positions_.find(record.sample.id);
  if (position == positions_.end())
    fail(ErrorCode::kInvalidData, "{}.sample: field 'id': '{}' is not one of the run's sample_ids", where,
         visible_line(shorten(record.sample.id, 64)));
  if (record.repeat < 0 || static_cast<std::size_t>(record.repeat) >= repeats_)
    fail(ErrorCode::kInvalidData, "{}: field 'repeat' must be below the run's {} repeats", where, repeats_);
  const std::size_t place = position->second * repeats_ + static_cast<std::size_t>(record.repeat);
  if (place < next_)
    fail(ErrorCode::kInvalidData, "{}: sample '{}', repeat {} is there twice or out of order", where,
         visible_line(shorten(record.sample.id, 64)), record.repeat);
  next_ = place + 1;
  ++records_;
}

void RecordOrder::check_end(const std::string& where) const {
  if (status_ == RunStatus::kComplete && records_ < total_)
    fail(ErrorCode::kInvalidData, "{}: the run says that it is complete, but has {} of {} records", where,
         records_, total_);
}

}  // namespace micius
