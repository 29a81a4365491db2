// nvidia-smi nvlink: state, abilities, counters of the links.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/nvidia/smi_internal.h"

namespace micius::emu::smi {
namespace {

struct Links {
  Host& host;
  std::size_t gpu;
  int first, last;
};

// The far end of a link: a switch where the profile has some, else another GPU.
std::string remote_bus(const Links& links, int link) {
  const Json* bus = links.host.json("nvswitch.bus");
  if (bus != nullptr && !bus->empty()) {
    std::string text = (*bus)[static_cast<std::size_t>(link) % bus->size()].get<std::string>();
    return "0000" + text;
  }
  const std::size_t peer = (links.gpu + 1 + static_cast<std::size_t>(link)) % links.host.gpu_count();
  return bus_id(links.host, peer == links.gpu ? (peer + 1) % links.host.gpu_count() : peer);
}

void status(const Links& links) {
  const std::string speed = links.host.gpu(links.gpu, "nvlink.speed").value_or("0");
  for (int link = links.first; link <= links.last; ++link)
    links.host.print("\t Link {}: {} GB/s\n", link, speed);
}

void capabilities(const Links& links) {
  static constexpr const char* kNames[] = {
      "P2P is supported: true",      "Access to system memory supported: true",
      "P2P atomics supported: true", "System memory atomics supported: true",
      "SLI is supported: true",      "Link is supported: false"};
  for (int link = links.first; link <= links.last; ++link)
    for (const char* name : kNames) links.host.print("\t Link {}, {}\n", link, name);
}

void far_devices(const Links& links) {
  for (int link = links.first; link <= links.last; ++link)
    links.host.print("\t Link {}: {}\n", link, remote_bus(links, link));
}

void far_links(const Links& links) {
  for (int link = links.first; link <= links.last; ++link)
    links.host.print("\t Link {}: Remote Device {}: Link {}\n", link, remote_bus(links, link), 32 + link);
}

std::int64_t replays(const Links& links, int link) {
  if (links.host.gpu_number(links.gpu, "nvlink.replay_link") != link ||
      !links.host.gpu(links.gpu, "nvlink.replay_link"))
    return 0;
  return links.host.gpu_number(links.gpu, "nvlink.replay_errors");
}

void errors(const Links& links) {
  for (int link = links.first; link <= links.last; ++link)
    links.host.print(
        "\t Link {0}: Replay Errors: {1}\n\t Link {0}: Recovery Errors: 0\n\t Link {0}: CRC Errors: 0\n\n",
        link, replays(links, link));
}

void lane_errors(const Links& links) {
  for (int link = links.first; link <= links.last; ++link)
    for (int lane = 0; lane < 4; ++lane) links.host.print("\t Link {}: CRC Errors Lane {}: 0\n", link, lane);
}

enum class Traffic { kPayload, kWithProtocol };  // the latter is 12 % more

// Since boot, in KiB.
void throughput(const Links& links, Traffic traffic) {
  const bool raw = traffic == Traffic::kWithProtocol;
  for (int link = links.first; link <= links.last; ++link) {
    const std::int64_t base = 5'861'984 + 977 * link + 130'003 * static_cast<std::int64_t>(links.gpu) +
                              links.host.gpu_number(links.gpu, "utilization.gpu") * 211'900;
    const std::int64_t tx = raw ? base * 112 / 100 : base, rx = raw ? (base + 893) * 112 / 100 : base + 893;
    const char* kind = raw ? "Raw" : "Data";
    links.host.print("\t Link {0}: {1} Tx: {2} KiB\n\t Link {0}: {1} Rx: {3} KiB\n", link, kind, tx, rx);
  }
}

void bandwidth_mode(const Links& links) {
  links.host.print("\t Nvlink bandwidth mode is {}\n",
                   links.host.value("nvlink.bandwidth_mode").value_or("FULL"));
}

void low_power(const Links& links) {
  const std::string threshold = links.host.gpu(links.gpu, "nvlink.low_power_threshold").value_or("10000");
  for (int link = links.first; link <= links.last; ++link)
    links.host.print("\t Link {}: Low Power Threshold: {}\n", link, threshold);
}

// One action on one GPU's links.
int act(const Command& command, const Links& links) {
  const Parsed& parsed = command.parsed;
  if (parsed.has("-s"))
    status(links);
  else if (parsed.has("-c"))
    capabilities(links);
  else if (parsed.has("-p"))
    far_devices(links);
  else if (parsed.has("-R"))
    far_links(links);
  else if (parsed.has("-e"))
    errors(links);
  else if (parsed.has("-ec"))
    lane_errors(links);
  else if (const auto type = parsed.value("-gt"))
    throughput(links, *type == "r" ? Traffic::kWithProtocol : Traffic::kPayload);
  else if (parsed.has("-gBwMode"))
    bandwidth_mode(links);
  else if (parsed.has("-gLowPwrInfo"))
    low_power(links);
  else if (parsed.has("-cBridge"))
    links.host.out("\t NVLink bridge: not present\n");
  else
    links.host.out("This functionality has been deprecated.\n");
  return kOk;
}

int set_action(const Command& command) {
  Host& host = command.host;
  const Parsed& parsed = command.parsed;
  if (!host.root()) {
    host.out("Insufficient Permissions\n");
    return kNoPermission;
  }
  if (const auto mode = parsed.value("-sBwMode")) {
    const std::vector<std::string>& known = parsed.find("-sBwMode")->option->values;
    if (std::find(known.begin(), known.end(), *mode) == known.end()) return invalid(host);
    host.set_value("nvlink.bandwidth_mode", *mode == "FULL" ? std::nullopt : mode);
    host.print("Nvlink bandwidth mode set to {}\n", *mode);
    return kOk;
  }
  for (std::size_t gpu : command.gpus) {
    if (parsed.has("-re")) {
      if (host.gpu(gpu, "nvlink.replay_link")) host.set_gpu(gpu, "nvlink.replay_errors", "0");
      host.print("GPU {}: {} (UUID: {})\n\t Error counters reset\n", gpu, gpu_name(host),
                 gpu_uuid(host, gpu));
    } else {
      const std::string value = parsed.value_or("-sLowPwrThres", "default");
      if (value != "default" && value.find_first_not_of("0123456789") != std::string::npos)
        return invalid(host);
      host.set_gpu(gpu, "nvlink.low_power_threshold", value == "default" ? "10000" : value);
      host.print("GPU {}: low power threshold set to {}\n", gpu, value);
    }
  }
  return kOk;
}

}  // namespace

int nvlink(const Command& command) {
  Host& host = command.host;
  const Parsed& parsed = command.parsed;
  const bool filter_only = std::all_of(parsed.options.begin(), parsed.options.end(), [](const Given& given) {
    return given.option->name == "-i" || given.option->name == "-l";
  });
  if (filter_only) return invalid(host);
  const auto type = parsed.value("-gt");
  if (type && *type != "d" && *type != "r") return invalid(host);
  if (parsed.has("-re") || parsed.has("-sLowPwrThres") || parsed.has("-sBwMode")) return set_action(command);
  for (std::size_t gpu : command.gpus) {
    host.print("GPU {}: {} (UUID: {})\n", gpu, gpu_name(host), gpu_uuid(host, gpu));
    const int count = static_cast<int>(host.gpu_number(gpu, "nvlink.count"));
    if (mig_enabled(host, gpu)) {
      host.out("Nvlink queries are not supported for Devices in MIG mode\n");
      continue;
    }
    if (count == 0) {
      host.out("Device does not have or support Nvlink\n");
      continue;
    }
    Links links{host, gpu, 0, count - 1};
    if (const auto one = parsed.value("-l")) {
      int link = -1;
      const auto [end, code] = std::from_chars(one->data(), one->data() + one->size(), link);
      if (code != std::errc() || end != one->data() + one->size() || link < 0 || link >= count)
        return invalid(host);
      links.first = links.last = link;
    }
    act(command, links);
  }
  return kOk;
}

}  // namespace micius::emu::smi
