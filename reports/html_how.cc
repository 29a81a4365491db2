// Can I trust and repeat it: what each run was, what it cost, and the command and the SQL that give it again.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "core/names.h"
#include "core/price.h"
#include "reports/command.h"
#include "reports/html_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

// "cpu Xeon, scorer (similar 0.95)"
std::string fields_text(const Json& object) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : object.items()) {
    if (value.is_null()) continue;
    parts.push_back(key + ' ' +
                    (value.is_object()   ? "(" + fields_text(value) + ")"
                     : value.is_string() ? value.get<std::string>()
                                         : dump_json(value)));
  }
  return join(parts, ", ");
}

// "$2.50 in, $10.00 out a million tokens, since 2024-10-01"
std::string price_text(const Json& environment) {
  const Json* kept = find_json(environment, "price");
  const std::optional<Price> price = kept == nullptr ? std::nullopt : price_from_json(*kept);
  if (!price) return "";
  const auto dollars = [](std::int64_t micros) { return money_text(static_cast<double>(micros) / 1e6); };
  std::string text = dollars(price->input) + " in, ";
  if (price->cached_input != price->input) text += dollars(price->cached_input) + " in from a cache, ";
  if (price->cache_write != price->input) text += dollars(price->cache_write) + " in to a cache, ";
  return fmt::format("{}{} out a million tokens, since {}", text, dollars(price->output), price->from);
}

class Facts {
 public:
  explicit Facts(std::ostream& out) : out_(out) {}
  // Nothing is said of what is not there.
  void add(std::string_view name, const std::string& value) {
    if (!value.empty()) out_ << fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, html(value));
  }
  // Lines break between words and not within a flag.
  void add_code(std::string_view name, const std::string& value) {
    std::string words;
    for (const std::string_view word : split(value, ' '))
      words += (words.empty() ? "<span class=\"unbroken\">" : " <span class=\"unbroken\">") + html(word) +
               "</span>";
    out_ << fmt::format(
        "<dt>{}</dt><dd class=\"code\"><code>{}</code><button type=\"button\" class=\"copy\" "
        "hidden>Copy</button></dd>\n",
        name, words);
  }
  void add_fields(std::string_view name, const Json& object) { add(name, fields_text(object)); }

 private:
  std::ostream& out_;
};

std::string quoted(const std::string& text) { return "'" + replace_all(text, "'", "''") + "'"; }

std::string sql_of(const Report& report) {
  const RunSpec& spec = report.spec;
  const std::string run = report.execution
                              ? fmt::format("{}", static_cast<std::int64_t>(report.execution->id))
                              : fmt::format("(SELECT max(run_id) FROM v_runs WHERE task = {} AND model = {})",
                                            quoted(spec.task), quoted(spec.model.name));
  if (spec.repeats == 1)
    return fmt::format("SELECT metric, avg(value), count(*) FROM v_values WHERE run_id = {} GROUP BY metric;",
                       run);
  return fmt::format(
      "SELECT metric, avg(value), count(*) FROM (SELECT metric, sample_id, avg(value) AS value FROM v_values "
      "WHERE run_id = {} GROUP BY metric, sample_id) GROUP BY metric;",
      run);
}

// A stable report does not know where the files of one execution were.
std::string command_of(const Report& report) {
  RunSpec spec = report.spec;
  if (!report.execution) spec.task_source = spec.model_source = "";
  return repeat_command(spec);
}

void add_execution(const Execution& execution, Facts& facts) {
  facts.add("started", execution.started);
  facts.add("finished", execution.finished);
  facts.add("time",
            fmt::format("{}, {} samples/s", format_duration(std::chrono::nanoseconds(execution.wall_ns)),
                        format_rate(execution.samples_per_s)));
  facts.add("work", work_text(execution.work));
  facts.add("price", price_text(execution.environment));
  Json machine = execution.environment;
  machine.erase("price");
  facts.add_fields("machine", machine);
}

std::string usage_text(const Usage& usage) {
  std::string text =
      fmt::format("{} in, {} out", format_count(usage.prompt_tokens), format_count(usage.completion_tokens));
  if (usage.cached_tokens > 0) text += fmt::format(", {} from a cache", format_count(usage.cached_tokens));
  if (usage.cost_usd) text += ", " + money_text(*usage.cost_usd);
  return text;
}

void write_run(const Report& report, std::size_t model, std::string_view open, std::ostream& out) {
  const RunSpec& spec = report.spec;
  out << fmt::format("<details class=\"run\"{}><summary>{}{}, {}</summary>\n<dl>\n", open, key_svg(model),
                     html(spec.task), html(model_text(spec.model)));
  Facts facts(out);
  facts.add_code("again", command_of(report));
  if (report.execution) facts.add("run", fmt::format("{}", static_cast<std::int64_t>(report.execution->id)));
  facts.add("status", std::string(name_of(report.status)));
  facts.add("task", fmt::format("{}, version {}", spec.task, spec.task_version));
  facts.add("data",
            fmt::format("{}, {} of {} samples{}", spec.dataset.name, spec.sample_ids.size(),
                        spec.dataset.samples, spec.dataset.is_published ? "" : ", not the published split"));
  facts.add("data SHA-256", spec.dataset.sha256);
  facts.add("model", model_text(spec.model) + (spec.model.url.empty() ? "" : " at " + spec.model.url));
  facts.add("model SHA-256", spec.model.sha256);
  facts.add("shots",
            fmt::format("{}{}", spec.shots, spec.shot_pool.empty() ? "" : " from " + spec.shot_pool));
  facts.add("prompt", std::string(name_of(spec.style)));
  const Json options = spec_json(spec);
  facts.add_fields("decoding", options.at("options"));
  if (!spec.turn_max_tokens.empty()) facts.add("tokens a turn", dump_json(options.at("turn_max_tokens")));
  if (spec.repeats != 1) facts.add("repeats", fmt::format("{}", spec.repeats));
  facts.add("scorer", spec.scorer);
  facts.add_fields("task options", spec.task_params);
  facts.add_fields("model options", spec.model_options);
  facts.add("tokens", usage_text(report.usage));
  if (report.execution) add_execution(*report.execution, facts);
  facts.add_fields("tags", spec.tags);
  facts.add("spec SHA-256", spec_sha256(spec));
  facts.add_code("SQL", sql_of(report));
  out << "</dl></details>\n";
}

}  // namespace

void write_how(const Grid& grid, std::ostream& out) {
  constexpr std::size_t kOpen = 4;  // more than that are folded
  const auto& reports = grid.set().reports;
  out << "<section id=\"how\">\n<h2>How it was run</h2>\n<p class=\"note\">Intervals are at 95 %: Wilson for "
         "shares of "
         "independent samples, Student's t for graded values, cluster-robust (CR1, t with G\u2212"
         "1 degrees) where "
         "samples of one cluster are not independent.</p>\n<div class=\"runs\">\n";
  for (std::size_t i = 0; i < reports.size(); ++i)
    write_run(reports[i], grid.model_of(i), reports.size() <= kOpen ? " open" : "", out);
  out << "</div>\n</section>\n";
}

}  // namespace micius
