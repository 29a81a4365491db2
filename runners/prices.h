// What tokens cost, by a dated list that users may replace.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

// In micro-dollars a million tokens, that is, picodollars a token.
struct Price {
  std::string provider, model, from;  // from: the day, "2024-10-01"
  bool is_prefix = false;             // `model` is how names begin: dated ones too
  std::int64_t input = 0, cached_input = 0, output = 0;
};

struct BilledTokens {
  std::int64_t prompt = 0, cached = 0, completion = 0;  // cached: part of the prompt's
};

class Prices {
 public:
  // Throws Error{kInvalidData} with file and row for what is no list of prices.
  static Prices read(const std::filesystem::path& file);

  // The newest that is not from after `day`; an exact name goes before a prefix, a longer prefix before a
  // shorter one. Absent: unknown, which is not free.
  std::optional<Price> find(std::string_view provider, std::string_view model, std::string_view day) const;

 private:
  std::vector<Price> rows_;
};

double cost_usd(const Price& price, const BilledTokens& tokens);

}  // namespace micius
