// The flags of remote models, and what the environment says of them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "core/batch_ledger.h"
#include "core/run.h"
#include "runners/api_runner.h"
#include "runners/registry.h"

namespace micius {

class Flags;

struct ApiFlags {
  std::string base_url, api_version, stream = "auto";
  std::optional<std::size_t> concurrency;
  std::optional<double> rpm, tpm;
  int timeout_s = 600, retries = 7;
  std::string prices;
  std::optional<double> budget;
};

void add_api_flags(Flags& flags, ApiFlags& values);
// Of those, what a process among several has for itself: none that bounds them all.
void add_server_flags(Flags& flags, ApiFlags& values);

// With what the environment says of addresses, keys (OPENAI_.., AZURE_OPENAI_.., ANTHROPIC_.., or files that
// it names) and SSL_CERT_FILE, and with the prices of today. Where there is a key, the process leaves no core
// dump from here on. Throws Error for a --prices that is not there or no list of prices, and as secret_from()
// does.
ApiSettings api_settings(const ApiFlags& flags);

// The runner of `--batch` for a model that check_batch_model() took. All must outlive it.
std::unique_ptr<Runner> open_batch_runner(const std::string& model, const RunnerContext& context,
                                          BatchLedger& ledger);

// Is it asked through an API, by its name's beginning ("openai:gpt-4o")?
bool is_remote_model(const std::string& model);

// Was the run begun with `--batch`?
bool is_batch_run(const RunSpec& spec);

// Throws Error{kUsage} for a model without a batch API, and as check_batches() does.
void check_batch_model(const std::string& model, const ApiSettings& settings);

}  // namespace micius
