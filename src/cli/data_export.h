// `micius data export`: tuning data with the prompts that the tasks build.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/places.h"

namespace micius {

class Flags;

class DataExport {
 public:
  void define(Flags& flags);
  // Writes a JSON object a line to the file, or to stdout; a file is there whole or not at all.
  void run() const;

 private:
  PlaceFlags places_;
  std::vector<std::string> tasks_;
  std::string split_ = "tuning", format_ = "chat", turns_ = "all";
  std::filesystem::path output_;
  bool test_data_ = false;
};

}  // namespace micius
