// The samples of all runs as JSON for the page's script. Columns hold what the list shows, each one string
// that the script splits when it needs it: that many rows open at once. Texts stand apart, each string that
// can repeat (a system prompt, the context of several choices) once, so that they can be left out or read
// later.
#include <chrono>
#include <cmath>
#include <unordered_map>

#include "base/json.h"
#include "base/text.h"
#include "core/ending.h"
#include "core/group_keys.h"
#include "core/names.h"
#include "core/score_value.h"
#include "reports/command.h"
#include "reports/html_internal.h"

namespace micius {
namespace {

constexpr std::size_t kShortText = 160;  // code points of an answer or a reason in the list
constexpr char kBetween = '\x7f';        // DEL stands between the texts of a column

// Bits, for what the list can be filtered by.
int flags_of(const Record& record) {
  const Ending o = ending_of(record);
  return o.truncated | o.empty << 1 | o.refused << 2 | o.think_only << 3 | o.unparsed << 4 | o.cut << 5 |
         o.ended << 6;
}

// [name, unit, primary, n, value, low, high], as far as there is an estimate.
Json metric_json(const Metric& metric) {
  Json json = {metric.name, metric.unit, metric.primary};
  if (!metric.estimate) return json;
  const Estimate& e = *metric.estimate;
  json.push_back(e.n);
  json.push_back(e.value);
  if (!e.low || !e.high) return json;
  json.push_back(*e.low);
  json.push_back(*e.high);
  return json;
}

// The cells of a column as one string: numbers with commas, as in JSON, or texts with DEL.
class ColumnText {
 public:
  void add_number(const Json& number) { add(dump_json(number), ','); }
  // DEL in a text is shown as its picture anyway.
  void add_text(const std::string& text) {
    add(replace_all(to_valid_utf8(text), {&kBetween, 1}, "\u2421"), kBetween);
  }
  const std::string& text() const { return text_; }

 private:
  void add(const std::string& cell, char between) {
    if (has_cells_) text_ += between;
    has_cells_ = true;
    text_ += cell;
  }

  std::string text_;
  bool has_cells_ = false;
};

// The rows of one run, by column.
struct Rows {
  ColumnText id, repeat, verdict, answer, reason, in, out, ms, flags, grouping, text;
  std::vector<ColumnText> values;  // by metric
  std::size_t n = 0;
  bool has_repeats = false, has_times = false, has_texts = false;  // else the column is left out

  Json json() const {
    Json columns = {{"id", id.text()},         {"verdict", verdict.text()},
                    {"answer", answer.text()}, {"reason", reason.text()},
                    {"in", in.text()},         {"out", out.text()},
                    {"flags", flags.text()},   {"grouping", grouping.text()}};
    columns["values"] = Json::array();
    for (const ColumnText& column : values) columns["values"].push_back(column.text());
    if (has_repeats) columns["repeat"] = repeat.text();
    if (has_times) columns["ms"] = ms.text();
    if (has_texts) columns["text"] = text.text();
    return columns;
  }
};

class Builder {
 public:
  Builder(const Grid& grid, std::size_t text_limit) : grid_(grid), limit_(text_limit) {}

  void add_run(std::size_t index) {
    const Report& report = grid_.report(index);
    Json head = run_head(report, index);
    Rows rows;
    rows.values.resize(report.metrics.size());
    grid_.set().records(index, [&](const Record& record) { add_row(report, record, rows); });
    head["n"] = rows.n;
    heads_.push_back(std::move(head));
    runs_.push_back(dump_json(rows.json()));
  }

  SampleData finish() {
    const Json head = {{"models", grid_.models()},
                       {"runs", std::move(heads_)},
                       {"verdicts", std::move(verdicts_.list)},
                       {"groupings", std::move(groupings_.list)},
                       {"comparisons", comparisons()}};
    SampleData data = {dump_json(head), std::move(runs_), "", records_};
    if (over_limit()) return data;
    Json texts = {
        {"strings", std::move(strings_)}, {"samples", std::move(samples_)}, {"texts", std::move(texts_)}};
    if (!grid_.set().scorer_rules.empty()) texts["rules"] = grid_.set().scorer_rules;
    data.texts = dump_json(texts);
    return data;
  }

 private:
  bool over_limit() const { return text_bytes_ > limit_; }

  Json run_head(const Report& report, std::size_t index) const {
    Json metrics = Json::array();
    for (const Metric& metric : report.metrics) metrics.push_back(metric_json(metric));
    Json head = {{"task", report.spec.task},
                 {"model", grid_.model_of(index)},
                 {"metrics", metrics},
                 {"by", report.spec.breakdowns}};
    if (report.execution) {
      head["id"] = static_cast<std::int64_t>(report.execution->id);
      head["again"] = replay_command(report.spec, report.execution->id);
    }
    return head;
  }

  // What the page's flips are about, by the place of the runs.
  Json comparisons() const {
    Json list = Json::array();
    for (const Comparison& c : grid_.set().comparisons.comparisons)
      list.push_back({{"a", c.a.place},
                      {"b", c.b.place},
                      {"metric", c.metric.of.empty() ? c.metric.name : c.metric.of},
                      {"samples", c.samples},
                      {"difference", c.difference.value},
                      {"flips", c.flips.size()}});
    return list;
  }

  // What many rows share stands apart, once.
  struct Places {
    Json list = Json::array();
    std::unordered_map<std::string, std::size_t> places;
  };
  static std::size_t place_of(Places& places, Json value) {
    const auto [it, is_new] = places.places.try_emplace(dump_json(value), places.list.size());
    if (is_new) places.list.push_back(std::move(value));
    return it->second;
  }

  void add_row(const Report& report, const Record& record, Rows& rows) {
    ++records_;
    ++rows.n;
    rows.id.add_text(record.sample.id);
    rows.repeat.add_number(record.repeat);
    rows.has_repeats = rows.has_repeats || record.repeat != 0;
    rows.verdict.add_number(
        place_of(verdicts_, record.failure ? "failed" : std::string(name_of(record.score.verdict))));
    for (std::size_t m = 0; m < report.metrics.size(); ++m) {
      const auto value = value_of(record.score, report.metrics[m].name);
      rows.values[m].add_number(value ? Json(*value) : Json());
    }
    rows.answer.add_text(shorten(record.score.answer, kShortText));
    rows.reason.add_text(shorten(record.failure ? record.failure->message : record.score.reason, kShortText));
    add_effort(report, record, rows);
    rows.flags.add_number(flags_of(record));
    Json groups = Json::array();
    for (const std::string& by : report.spec.breakdowns) groups.push_back(group_keys(record.sample, by));
    rows.grouping.add_number(place_of(groupings_, std::move(groups)));
    const Json text = add_text(report, record);
    rows.text.add_number(text);
    rows.has_texts = rows.has_texts || !text.is_null();
  }

  static void add_effort(const Report& report, const Record& record, Rows& rows) {
    std::int64_t in = 0, out = 0;
    std::chrono::nanoseconds time{0};
    for (const Turn& turn : record.turns) {
      const Completion& c = turn.completion;
      in += c.prompt_tokens;
      out += c.completion_tokens;
      time += c.timing.done - c.timing.sent;
    }
    rows.in.add_number(in);
    rows.out.add_number(out);
    Json ms = nullptr;
    if (report.execution && time.count() > 0) ms = std::round(static_cast<double>(time.count()) / 1e4) / 100;
    rows.has_times = rows.has_times || !ms.is_null();
    rows.ms.add_number(ms);
  }

  // The place of the record's texts; they are dropped once the limit is passed.
  Json add_text(const Report& report, const Record& record) {
    if (over_limit()) return nullptr;
    Json turns = Json::array();
    for (const Turn& turn : record.turns) turns.push_back(turn_of(turn));
    Json text = {{"sample", sample_of(report.spec.task, record.sample)}, {"turns", std::move(turns)}};
    if (code_points(record.score.answer) > kShortText) text["answer"] = own(record.score.answer);
    if (code_points(record.score.reason) > kShortText) text["reason"] = own(record.score.reason);
    if (record.failure)
      text["failure"] = {{"code", record.failure->code},
                         {"message", own(record.failure->message)},
                         {"attempts", record.failure->attempts}};
    if (over_limit()) {
      strings_.clear();
      samples_.clear();
      texts_.clear();
      return nullptr;
    }
    texts_.push_back(std::move(text));
    return texts_.size() - 1;
  }

  Json turn_of(const Turn& turn) {
    Json json = Json::object();
    const auto messages = [this](const std::vector<Message>& list) {
      Json result = Json::array();
      for (const Message& message : list) result.push_back({name_of(message.role), shared(message.content)});
      return result;
    };
    if (const auto* generate = std::get_if<GenerateInput>(&turn.prompt.input)) {
      json["messages"] = messages(generate->messages);
    } else {
      const auto& weighed = std::get<LikelihoodInput>(turn.prompt.input);
      if (!weighed.messages.empty()) json["messages"] = messages(weighed.messages);
      json["pairs"] = Json::array();
      for (const Pair& pair : weighed.pairs) {
        const std::string& own_part = pair.question.empty() ? pair.context : pair.question;
        json["pairs"].push_back({shared(own_part), own(pair.continuation)});
      }
    }
    const Completion& c = turn.completion;
    if (!c.prompt_text.empty()) json["read"] = pieces_of(c.prompt_text, turn.prompt);
    if (std::holds_alternative<GenerateInput>(turn.prompt.input)) {
      json["completion"] = own(c.text);
      json["stop"] = name_of(c.stop_reason);
    }
    for (const Likelihood& l : c.likelihoods) json["likelihoods"].push_back({l.logprob, l.tokens, l.greedy});
    json["tokens"] = {c.prompt_tokens, c.completion_tokens};
    if (!turn.observation.empty()) json["observation"] = own(turn.observation);
    return json;
  }

  // What the model read is its messages with a template's words around them: text, or the place of a message.
  Json pieces_of(std::string_view read, const Prompt& prompt) {
    Json pieces = Json::array();
    const auto* generate = std::get_if<GenerateInput>(&prompt.input);
    const auto& messages = generate ? generate->messages : std::get<LikelihoodInput>(prompt.input).messages;
    for (const Message& message : messages) {
      const std::size_t at = message.content.empty() ? read.npos : read.find(message.content);
      if (at == read.npos) continue;
      pieces.push_back(own(std::string(read.substr(0, at))));
      pieces.push_back(shared(message.content));
      read.remove_prefix(at + message.content.size());
    }
    pieces.push_back(own(std::string(read)));
    return pieces;
  }

  // A sample is there once, however many models were asked about it.
  std::size_t sample_of(const std::string& task, const Sample& sample) {
    const auto [it, is_new] = sample_places_.try_emplace(task + '\n' + sample.id, samples_.size());
    if (!is_new) return it->second;
    Json json = {{"input", own(sample.input)}, {"targets", sample.targets}, {"extra", sample.extra}};
    if (!sample.choices.empty()) json["choices"] = sample.choices;
    text_bytes_ += dump_json(json).size();
    samples_.push_back(std::move(json));
    return it->second;
  }

  std::size_t shared(const std::string& text) {
    const auto [it, is_new] = string_places_.try_emplace(text, strings_.size());
    if (is_new) strings_.push_back(own(text));
    return it->second;
  }

  const std::string& own(const std::string& text) {
    text_bytes_ += text.size();
    return text;
  }

  const Grid& grid_;
  std::size_t limit_, text_bytes_ = 0, records_ = 0;
  Json heads_ = Json::array();
  std::vector<std::string> runs_;  // as text they take a tenth of what they take as values
  Json strings_ = Json::array(), samples_ = Json::array(), texts_ = Json::array();
  std::unordered_map<std::string, std::size_t> string_places_, sample_places_;
  Places verdicts_, groupings_;
};

}  // namespace

SampleData sample_data(const Grid& grid, std::size_t text_limit) {
  Builder builder(grid, text_limit);
  for (std::size_t i = 0; i < grid.set().reports.size(); ++i) builder.add_run(i);
  return builder.finish();
}

}  // namespace micius
