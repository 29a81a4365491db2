// The set and reset commands of rocm-smi: one object a call. The program is root when it comes here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "emu/amd/rocm_smi_internal.h"

namespace micius::emu::amd {

class Setter {
 public:
  explicit Setter(RocmSmi& smi) : smi_(smi), host_(smi.host) {}

  void run();

 private:
  std::string value(const char* option) const { return smi_.parsed.value_or(option, ""); }
  std::vector<std::string> values(const char* option) const {
    const Given* given = smi_.parsed.find(option);
    return given == nullptr ? std::vector<std::string>() : given->values;
  }

  bool reset_gpu();
  void reset_clocks();
  void levels();
  void set_levels(const std::string& type, const std::vector<std::string>& words);
  void ranges();
  void set_range(const std::string& type, const std::string& low, const std::string& high);
  void set_extremum(const std::vector<std::string>& words);
  void points();
  void performance_level(const std::string& level);
  void overdrive(const char* option, const char* type);
  void power(const std::string& watts);
  void profile(std::string name);
  void reset_profile();
  void determinism();
  void compute_partition(const std::string& type);
  void memory_partition(const std::string& type);
  void ras();
  void load(const std::string& path);
  void save(const std::string& path);
  // Prints the warning and asks, or takes --autorespond; without a yes the program stops.
  void confirm(std::string_view warning, std::string_view choices);
  void restore(std::size_t gpu, const char* key);  // back to what the profile says

  RocmSmi& smi_;
  Host& host_;
};

std::string safe_word(const std::string& word);
std::string gpu_line(std::size_t gpu, std::string_view text);  // as log messages name a GPU

extern const std::string_view kOutOfSpecification;  // the warning before overclocking

}  // namespace micius::emu::amd
