// What several report formats say in the same words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/report.h"

namespace micius {

// The first metric, if the task has any.
const Metric* primary_of(const Report& report);
const Metric* find_metric(const std::vector<Metric>& metrics, std::string_view name);

// The number alone, in percent for fractions: "3.5", "31.28".
std::string number_text(double value, const std::string& unit);
// "3.5 %", or "-" where there is no estimate.
std::string value_text(const Metric& metric);
// "2.2 .. 5.6", or "-". `between` is what stands between the two numbers.
std::string interval_text(const Metric& metric, std::string_view between = " .. ");

// What models that know nothing and everything get, in the metric's unit: "16.8 / 100.0", or "-".
std::string reach_text(const Metric& metric);

// "$5.69", "$0.0012": two significant digits under a dollar.
std::string money_text(double usd);

// "cost $5.69", of all runs whose price is known, and how many others there are; "" where there is none.
std::string cost_text(const ReportSet& set);

// "480", or "214/480" while samples are open or failed.
std::string done_text(const Counts& counts);

// What a reader must know before any score, one sentence an entry, each with what to do next: unfinished,
// failed, unscored, and how many independent samples clustered ones are worth. `places`: ReportStyle::places.
std::vector<std::string> notes_of(const Report& report, std::string_view places = {});

// "forwarded 1.2M of 9.5M tokens (12.6 %); shared beginnings once", or "" where no model of ours did any
// work.
std::string work_text(const std::optional<ForwardedTokens>& work);
// Of all runs together.
std::optional<ForwardedTokens> work_of(const ReportSet& set);

// What keeps an aggregate from being a suite's score: its runs are over a part of the samples. Else "".
std::string part_note(const Aggregate& aggregate, const ReportSet& set);

// "2 runs complete, no sample failed."
std::string verdict_line(const ReportSet& set);

// "smollm2-135m", with the kind where the name alone does not say it: "gpt-4o (openai)".
std::string model_text(const ModelRef& model);

inline constexpr std::string_view kPublishedHeading = "published, other data: not comparable";
inline constexpr std::string_view kPublishedSentence =
    "The paper's test data is not public; these suites are new data of the same form.";

}  // namespace micius
