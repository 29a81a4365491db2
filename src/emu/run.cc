#include "emu/run.h"

#include "base/text.h"
#include "emu/host.h"
#include "emu/registry.h"

namespace micius::emu {
namespace {

constexpr std::size_t kMaxWords = 20'000;
constexpr std::size_t kMaxBytes = 1 << 20;

}  // namespace

Outcome run(const Profile& profile, State& state, const Call& call) {
  std::size_t bytes = 0;
  for (const std::string& word : call.argv) bytes += word.size();
  Outcome refused;
  if (call.argv.empty() || call.argv.size() > kMaxWords || bytes > kMaxBytes) {
    refused.exit = 126;
    refused.err = "argument list too long\n";
    return refused;
  }
  if (find_program(call.argv[0], profile.platform) == nullptr) {
    refused.exit = 127;
    refused.err = fmt::format("bash: {}: command not found\n", shorten(to_valid_utf8(call.argv[0]), 200));
    return refused;
  }
  Host host(profile, state, call);
  const int exit = host.run(call.argv, {});
  return std::move(host).finish(exit);
}

}  // namespace micius::emu
