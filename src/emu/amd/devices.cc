#include <algorithm>

#include "emu/amd/devices_internal.h"
#include "emu/amd/values.h"

namespace micius::emu::amd {

Devices::Devices(const Host& host) : host_(host) {
  const Json* nodes = host.json("numa");
  cpus_ = nodes == nullptr ? 1 : nodes->size();
}

std::size_t Devices::numa(std::size_t device) const {
  return is_cpu(device) ? device : static_cast<std::size_t>(host_.gpu_number(gpu(device), "numa"));
}

std::int64_t Devices::weight(std::size_t a, std::size_t b) const {
  if (a == b) return 0;
  if (!is_cpu(a) && !is_cpu(b)) return amd::link_weight(host_, gpu(a), gpu(b));
  return numa(a) == numa(b) ? 20 : 52;
}

std::int64_t Devices::rate(std::size_t from, std::size_t to) const {
  const bool new_bus = host_.gpu(0, "pcie.speed") == "32";
  if (is_cpu(from) && is_cpu(to)) return from == to ? 4'760 : 4'880;
  if (is_cpu(from) || is_cpu(to)) {
    const std::int64_t near = is_cpu(from) ? 4'412 : 5'520;
    return (numa(from) == numa(to) ? near : near * 3 / 4) * (new_bus ? 10 : 5) / 10;
  }
  if (from == to) return new_bus ? 190'875 : 109'180;
  return 4'914 * 15 / std::max<std::int64_t>(15, weight(from, to)) +
         static_cast<std::int64_t>((from * 3 + to * 5) % 7);
}

std::string rate_text(std::int64_t rate, int digits) {
  return fmt::format("{:.{}f}", static_cast<double>(rate) / 100, digits);
}

}  // namespace micius::emu::amd
