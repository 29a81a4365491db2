#include "cli/environment.h"

#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "base/text.h"
#include "commit.h"
#include "engine/cpu.h"

namespace micius {

std::string version_text() {
  constexpr std::string_view kCommit = MICIUS_COMMIT;
  return kCommit.empty() ? MICIUS_VERSION : fmt::format("{} ({})", MICIUS_VERSION, kCommit);
}

std::string environment_text(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? std::string(strip(value)) : "";
}

Json machine_environment() {
  utsname system{};
  const std::string os =
      ::uname(&system) == 0 ? fmt::format("{} {}", system.sysname, system.release) : "unknown";
  return {{"micius", version_text()}, {"os", os}, {"cpu", cpu_name()}, {"gpu", nullptr}};
}

}  // namespace micius
