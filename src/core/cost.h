// What a run's records cost, by the price that was kept with it.
#pragma once

#include <cstdint>
#include <optional>

#include "core/price.h"
#include "core/record.h"
#include "core/run.h"

namespace micius {

// Absent where the model has none that is known.
std::optional<Price> price_of(const RunSpec& spec);

// Both in picodollars, and absent where a server said nothing of the tokens of an answer that counts. What
// was paid for a record: answers from the cache cost nothing. What it is worth: they cost what they once did.
std::optional<std::int64_t> paid_pico(const Price& price, const Record& record);
std::optional<std::int64_t> worth_pico(const Price& price, const Record& record);

// The same in dollars; absent without a price.
std::optional<double> paid_usd(const std::optional<Price>& price, const Record& record);
std::optional<double> worth_usd(const std::optional<Price>& price, const Record& record);

}  // namespace micius
