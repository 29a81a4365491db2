// Where libraries leave what people should know. Only src/cli prints.
#pragma once

#include <string_view>

namespace micius {

class Log {
 public:
  virtual ~Log() = default;
  // One line, without a prefix or newline. Says what to do next. May be called from any thread.
  virtual void warning(std::string_view message) = 0;
};

}  // namespace micius
