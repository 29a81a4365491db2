#include "cli/bench_load.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "cli/flags.h"
#include "cli/load_report.h"
#include "cli/load_run.h"
#include "cli/remote.h"
#include "cli/signals.h"
#include "pipeline/load_plan.h"
#include "runners/api_endpoint.h"

namespace micius {
namespace {

using Seconds = std::chrono::duration<double>;

Json user_message(const std::string& text) { return Json::array({{{"role", "user"}, {"content", text}}}); }

// Words of three syllables, other ones in each request and for each seed: a server that has not seen the seed
// has read none of them.
std::string made_up_text(std::uint64_t seed, std::size_t number, std::size_t words) {
  constexpr std::string_view kFirst = "bdfgklmnprstvz", kSecond = "aeiou";
  Rng rng(fmt::format("{}/load prompt/{}", seed, number));
  std::string text;
  for (std::size_t i = 0; i < words; ++i) {
    if (i > 0) text += ' ';
    for (int syllable = 0; syllable < 3; ++syllable) {
      text += kFirst[rng.below(kFirst.size())];
      text += kSecond[rng.below(kSecond.size())];
    }
  }
  return text;
}

// Six digits, which people can type again.
std::size_t seed_of_now() {
  const auto now = SystemClock().utc().time_since_epoch();
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  return 100'000 + Rng(fmt::format("load seed/{}", ns)).below(900'000);
}

// The messages of each line: {"prompt": ".."} or {"messages": [..]}.
std::vector<Json> read_prompts(const std::string& file) {
  std::vector<Json> prompts;
  for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
    if (line.empty()) return;
    const std::string where = fmt::format("{}:{}", file, number);
    const Json row = parse_json(line, where);
    const JsonFields fields(row, where);
    if (fields.has("messages")) {
      prompts.push_back(fields.at("messages"));
    } else {
      prompts.push_back(user_message(fields.string("prompt")));
    }
  });
  if (prompts.empty()) fail(ErrorCode::kInvalidData, "{}: no line with a prompt", file);
  return prompts;
}

class BenchLoadCommand final : public Command {
 public:
  std::string name() const override { return "load"; }
  std::string summary() const override {
    return "Latencies of a server of OpenAI's chat API under a planned load";
  }

  void define(Flags& flags) override {
    flags
        .add("--base-url", api_.base_url,
             "The server's address, with /v1 (OPENAI_BASE_URL; the key from OPENAI_API_KEY)")
        .type("URL");
    flags.add("--model", model_, "Its name at the server").required().type("NAME");
    add_load_flags(flags);
    flags.add("--prompts", prompt_file_, R"(JSON lines with {"prompt"} or {"messages"}, in turn)")
        .type("FILE");
    flags
        .add("--prompt-words", prompt_words_,
             "Without --prompts: made-up words of a request, three to six tokens each")
        .at_least(1)
        .show_default();
    flags.add("--max-tokens", max_tokens_, "Of an answer").at_least(1).show_default();
    const auto add_limit = [&](const char* flag, std::optional<double>& limit, const char* what) {
      flags.add(flag, limit, what).within(0.001, 1e9).type("MS");
    };
    add_limit("--ttft-limit-ms", limits_.ttft_ms, "Goodput: requests whose first token comes in so long");
    add_limit("--itl-limit-ms", limits_.itl_ms, "and the mean gap between their pieces is at most this");
    add_limit("--e2e-limit-ms", limits_.e2e_ms, "and the whole answer is there in so long");
    flags.add("--timeout", api_.timeout_s, "Seconds for one request").at_least(1).show_default();
    flags
        .add("--seed", given_seed_,
             "Of arrivals and made-up prompts; without it another each time, so that no server has them in "
             "its "
             "cache")
        .type("N");
    flags.add("--format", format_, "text or json").one_of({"text", "json"}).show_default();
  }

  ExitCode run() override {
    const InterruptGuard interrupts;
    seed_ = given_seed_.value_or(seed_of_now());
    LoadPlan plan = this->plan();
    const ApiSettings settings = api_settings(api_);
    const ApiEndpoint endpoint = endpoint_of(ApiKind::kOpenAi, model_, settings);
    if (!prompt_file_.empty()) prompts_ = read_prompts(prompt_file_);
    const std::vector<std::chrono::nanoseconds> times =
        concurrency_ ? std::vector<std::chrono::nanoseconds>() : send_times(plan);
    if (!concurrency_ && times.empty())
      fail(ErrorCode::kUsage, "the plan has no request: raise --rate or --duration, or give --requests");
    const SystemClock clock;
    HttpClient client({settings.user_agent, settings.ca_file});
    LoadRun run(
        client, [&](std::size_t number) { return request(endpoint, number); }, clock, interrupts.token());
    if (concurrency_) {
      run.send_by(*concurrency_, plan.requests, plan.duration);
    } else {
      run.send_at(times);
    }
    return report(endpoint, run, concurrency_ ? run.samples().size() : times.size(), interrupts);
  }

 private:
  void add_load_flags(Flags& flags) {
    const Flag rate =
        flags.add("--rate", rate_, "Requests a second, sent whether or not those before were answered")
            .within(1e-3, 1e5)
            .type("R");
    flags
        .add("--concurrency", concurrency_,
             "Instead: so many clients, each its next request after its last answer")
        .at_least(1)
        .type("N")
        .excludes(rate);
    flags
        .add("--arrivals", arrivals_,
             "Of --rate: poisson (independent clients), constant, or ramp (up to the rate)")
        .one_of({"poisson", "constant", "ramp"})
        .show_default();
    flags.add("--ramp-from", first_rate_, "Of a ramp: requests a second at its begin")
        .within(0, 1e5)
        .show_default();
    flags.add("--requests", requests_, "How many (default 100, without --duration)").at_least(1).type("N");
    flags.add("--duration", duration_s_, "Seconds in which requests are sent").within(0.1, 1e6).type("S");
  }

  LoadPlan plan() const {
    if (!rate_ && !concurrency_)
      fail(ErrorCode::kUsage, "give a load: --rate R (requests a second) or --concurrency N (clients)");
    LoadPlan plan;
    plan.arrivals = arrivals_from(arrivals_);
    plan.rate = rate_.value_or(1);
    plan.first_rate = first_rate_;
    plan.requests = requests_;
    if (duration_s_)
      plan.duration = std::chrono::duration_cast<std::chrono::nanoseconds>(Seconds(*duration_s_));
    if (!plan.requests && !plan.duration) plan.requests = kRequests;
    plan.stream = fmt::format("{}/load", seed_);
    return plan;
  }

  HttpRequest request(const ApiEndpoint& endpoint, std::size_t number) const {
    HttpRequest request{
        .method = "POST", .url = endpoint.url + "/chat/completions", .headers = endpoint.headers};
    request.headers.push_back({"Content-Type", "application/json"});
    request.headers.push_back({"Accept", "text/event-stream"});
    const Json messages = prompts_.empty() ? user_message(made_up_text(seed_, number, prompt_words_))
                                           : prompts_[number % prompts_.size()];
    request.body = dump_json({{"model", endpoint.model},
                              {"messages", messages},
                              {"max_tokens", max_tokens_},
                              {"temperature", 0},
                              {"stream", true},
                              {"stream_options", {{"include_usage", true}}}});
    request.limits.total = std::chrono::seconds(api_.timeout_s);
    request.limits.idle = *request.limits.total;
    return request;
  }

  ExitCode report(const ApiEndpoint& endpoint, const LoadRun& run, std::size_t planned,
                  const InterruptGuard& interrupts) const {
    LoadSettings settings;
    settings.url = endpoint.url;
    settings.model = endpoint.model;
    settings.arrivals = concurrency_ ? "closed" : arrivals_;
    settings.rate = rate_;
    settings.concurrency = concurrency_;
    settings.seed = seed_;
    settings.planned = planned;
    settings.limits = limits_;
    const Json json = load_json(settings, run.samples(), run.wall());
    std::cout << (format_ == "json" ? dump_json(json) + "\n" : load_text(json));
    if (interrupts.token().stop_requested()) return ExitCode::kInterrupted;
    const auto failed = [](const LoadSample& sample) { return !sample.failure.empty(); };
    return std::any_of(run.samples().begin(), run.samples().end(), failed) ? ExitCode::kFailed
                                                                           : ExitCode::kGood;
  }

  static constexpr std::size_t kRequests = 100;

  ApiFlags api_;
  std::string model_, arrivals_ = "poisson", prompt_file_, format_ = "text";
  std::optional<double> rate_, duration_s_;
  std::optional<std::size_t> concurrency_, requests_;
  double first_rate_ = 0;
  std::optional<std::size_t> given_seed_;
  std::size_t prompt_words_ = 64, seed_ = 0;
  int max_tokens_ = 64;
  LoadLimits limits_;
  std::vector<Json> prompts_;
};

}  // namespace

std::unique_ptr<Command> make_bench_load_command() { return std::make_unique<BenchLoadCommand>(); }

}  // namespace micius
