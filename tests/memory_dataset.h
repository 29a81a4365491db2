// A dataset made of given samples.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/dataset.h"

namespace micius {

class MemoryDataset final : public Dataset {
 public:
  MemoryDataset(std::string name, std::vector<Sample> samples)
      : name_(std::move(name)), samples_(std::move(samples)) {}
  std::string_view name() const override { return name_; }
  std::string content_hash() const override { return std::string(64, '0'); }
  std::size_t size() const override { return samples_.size(); }
  Sample at(std::size_t index) const override { return samples_.at(index); }

 private:
  std::string name_;
  std::vector<Sample> samples_;
};

}  // namespace micius
