#include "cli/remote.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "cli/environment.h"
#include "cli/flags.h"
#include "cli/places.h"
#include "cli/secrets.h"
#include "runners/batch_runner.h"
#include "runners/model_name.h"

namespace micius {
void add_server_flags(Flags& flags, ApiFlags& values) {
  flags
      .add("--base-url", values.base_url,
           "Of openai:NAME, with /v1 (OPENAI_BASE_URL; the key from OPENAI_API_KEY or the file that "
           "OPENAI_API_KEY_FILE names)")
      .type("URL");
  flags
      .add("--api-version", values.api_version,
           "Of azure:DEPLOYMENT: takes the address of that time (2024-10-21); without it /openai/v1")
      .type("DATE");
  flags
      .add("--stream", values.stream,
           "Answers of remote models as they are written: auto (long ones), on (all, for the time to the "
           "first token), off")
      .one_of({"auto", "on", "off"})
      .show_default();
  flags
      .add("--concurrency", values.concurrency,
           "Requests at once to a remote model; without it as many as the server bears, up to 64")
      .at_least(1)
      .type("N");
  flags.add("--timeout", values.timeout_s, "Seconds for one attempt of a request to a remote model")
      .at_least(1)
      .type("S")
      .show_default();
  flags.add("--prices", values.prices, "What remote models cost, instead of runners/prices.json")
      .type("FILE");
  flags.add("--retries", values.retries, "Of a request to a remote model, after the first attempt")
      .at_least(0)
      .type("N")
      .show_default();
}

void add_api_flags(Flags& flags, ApiFlags& values) {
  add_server_flags(flags, values);
  flags.add("--rpm", values.rpm, "Requests a minute to a remote model, at most").within(0.01, 1e9).type("N");
  flags.add("--tpm", values.tpm, "Tokens a minute to a remote model, about, at most")
      .within(1, 1e12)
      .type("N");
  flags
      .add("--budget", values.budget,
           "Dollars of this command for each remote model: nothing is sent that may go over them")
      .within(0, 1e6)
      .type("USD");
}

ApiSettings api_settings(const ApiFlags& flags) {
  ApiSettings settings;
  settings.openai.url = flags.base_url.empty() ? environment_text("OPENAI_BASE_URL") : flags.base_url;
  settings.openai.key = secret_from("OPENAI_API_KEY");
  settings.azure = {environment_text("AZURE_OPENAI_ENDPOINT"), secret_from("AZURE_OPENAI_API_KEY")};
  settings.azure_token = secret_from("AZURE_OPENAI_AD_TOKEN");
  settings.api_version = flags.api_version;
  settings.anthropic = {environment_text("ANTHROPIC_BASE_URL"), secret_from("ANTHROPIC_API_KEY")};
  if (flags.stream == "on") settings.streaming = ApiStreaming::kAll;
  if (flags.stream == "off") settings.streaming = ApiStreaming::kNone;
  if (!(settings.openai.key + settings.azure.key + settings.azure_token + settings.anthropic.key).empty())
    forbid_dumps();
  settings.concurrency = flags.concurrency;
  settings.requests_per_minute = flags.rpm;
  settings.tokens_per_minute = flags.tpm;
  settings.timeout = std::chrono::seconds(flags.timeout_s);
  settings.patience = std::min(settings.patience, std::chrono::milliseconds(settings.timeout));
  settings.retries = flags.retries;
  settings.user_agent = "micius/" + version_text();
  settings.ca_file = environment_text("SSL_CERT_FILE");
  const std::filesystem::path shipped = share_root() / "runners/prices.json";
  if (!flags.prices.empty()) {
    settings.prices = Prices::read(flags.prices);
  } else if (std::filesystem::exists(shipped)) {
    settings.prices = Prices::read(shipped);
  }
  settings.day = format_utc(SystemClock().utc()).substr(0, 10);
  settings.budget_usd = flags.budget;
  return settings;
}

bool is_remote_model(const std::string& model) { return api_kind_from(split_model(model).kind).has_value(); }

bool is_batch_run(const RunSpec& spec) { return spec.environment.contains("batch"); }

void check_batch_model(const std::string& model, const ApiSettings& settings) {
  const ModelName name = split_model(model);
  const auto kind = api_kind_from(name.kind);
  if (kind && name.argument) return check_batches(*kind, *name.argument, settings);
  fail(ErrorCode::kUsage,
       "--batch: '{}' has no batch API; openai:NAME, azure:DEPLOYMENT and anthropic:NAME have", model);
}

std::unique_ptr<Runner> open_batch_runner(const std::string& model, const RunnerContext& context,
                                          BatchLedger& ledger) {
  const ModelName name = split_model(model);
  return make_batch_runner(api_kind_from(name.kind).value(), name.argument.value(), *context.api,
                           context.clock, context.log, ledger);
}

}  // namespace micius
