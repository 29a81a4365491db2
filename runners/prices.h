// What the tokens of remote models cost, by a dated list that users may replace.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/price.h"

namespace micius {

enum class Tariff { kAtOnce, kBatch };

class Prices {
 public:
  // Throws Error{kInvalidData} with file and row for what is no list of prices.
  static Prices read(const std::filesystem::path& file);

  // The rows of `provider` that hold at `url`: those that name it, and those without a "url" where it is the
  // provider's own address. Another server's model of the same name costs something else, or nothing.
  Prices at(std::string_view provider, std::string_view url) const;

  // The newest that is not from after `day`; an exact name goes before a prefix, a longer prefix before a
  // shorter one. Absent: unknown, which is not free.
  std::optional<Price> find(std::string_view provider, std::string_view model, std::string_view day,
                            Tariff tariff = Tariff::kAtOnce) const;

 private:
  struct Row {
    std::string provider, url, model;  // url: "" for the provider's own
    bool is_prefix = false;            // `model` is how names begin: dated ones too
    Price price = {};
    std::int64_t batch_millionths = 1'000'000;  // of the price, that a batch costs
  };
  static Row row_of(const Json& json, const std::string& where);

  std::vector<Row> rows_;
};

}  // namespace micius
