// rocm-bandwidth-test: the topology, and copies between devices.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/amd/devices_internal.h"
#include "emu/amd/rocm_tools.h"
#include "emu/amd/values.h"

namespace micius::emu {
namespace {

using amd::Devices;
using amd::rate_text;

std::optional<std::vector<std::size_t>> device_list(const std::string& text, std::size_t count) {
  std::vector<std::size_t> list;
  for (std::string_view word : split(text, ',')) {
    std::size_t device = count;
    const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), device);
    if (code != std::errc() || end != word.data() + word.size() || device >= count || list.size() > 256)
      return std::nullopt;
    list.push_back(device);
  }
  return list;
}

void list_devices(Host& host, const Devices& devices) {
  for (std::size_t device = 0; device < devices.size(); ++device) {
    host.print(
        "          Device Index:                             {}\n            Device Type:                    "
        "        {}\n",
        device, devices.is_cpu(device) ? "CPU" : "GPU");
    if (devices.is_cpu(device)) {
      host.print(
          "            Device Name:                            {}\n              Allocatable Memory Size "
          "(KB):         {}\n\n",
          host.fact_or("cpu.model", ""),
          JsonFields((*host.json("numa"))[device], "numa").integer("size_mb") * 1024);
      continue;
    }
    const std::size_t gpu = devices.gpu(device);
    const std::int64_t memory = host.gpu_number(gpu, "vram.total") / 1024;
    host.print(
        "            Device Name:                            {}\n              Device  BDF:                  "
        "          {}\n"
        "            Device UUID:                            {}\n              Allocatable Memory Size (KB): "
        "        {}\n"
        "              Allocatable Memory Size (KB):         {}\n\n",
        host.fact_or("gpu_name", ""), amd::fill(host, gpu, "{bdf}").substr(5),
        amd::fill(host, gpu, "{hip_uuid}"), memory, memory);
  }
}

template <typename Cell>
void matrix(Host& host, const Devices& devices, const char* title, Cell cell) {
  host.print("          {}\n\n          D/D       ", title);
  for (std::size_t to = 0; to < devices.size(); ++to) host.print("{:<12}", to);
  host.out("\n\n");
  for (std::size_t from = 0; from < devices.size(); ++from) {
    host.print("          {:<10}", from);
    for (std::size_t to = 0; to < devices.size(); ++to) host.print("{:<12}", cell(from, to));
    host.out("\n\n");
  }
}

void topology(Host& host, const Devices& devices) {
  list_devices(host, devices);
  matrix(host, devices, "Inter-Device Access", [](std::size_t, std::size_t) { return std::string("1"); });
  matrix(host, devices, "Inter-Device Numa Distance",
         [&](std::size_t from, std::size_t to) { return std::to_string(devices.weight(from, to)); });
}

std::string size_name(std::int64_t bytes) {
  return bytes >= 1 << 20 ? fmt::format("{} MB", bytes >> 20) : fmt::format("{} KB", bytes >> 10);
}

// One pair over a row of sizes: time is a fixed part and the rate's.
void sweep(Host& host, const Devices& devices, std::size_t from, std::size_t to,
           const std::vector<std::int64_t>& sizes, bool both_ways, bool latency, bool cpu_timer) {
  if (host.is_full()) return;
  const auto type = [&](std::size_t device) { return devices.is_cpu(device) ? "Cpu" : "Gpu"; };
  host.print(
      "\n      ================    {} Benchmark Result    ================\n"
      "      ================ Src Device Id: {} Src Device Type: {} ================\n"
      "      ================ Dst Device Id: {} Dst Device Type: {} ================\n\n",
      both_ways ? "Bidirectional" : "Unidirectional", from, type(from), to, type(to));
  host.print("      Data Size      {}\n", latency
                                              ? "Avg Time(us)   Min Time(us)"
                                              : "Avg Time(us)   Avg BW(GB/s)   Min Time(us)   Peak BW(GB/s)");
  const std::int64_t rate = devices.rate(from, to) * (both_ways ? 2 : 1);
  for (std::int64_t size : sizes) {
    const std::int64_t best = 5'280 + (cpu_timer ? 2'140 : 0) + size * 100 / std::max<std::int64_t>(rate, 1),
                       mean = best + best / 200;
    const auto bandwidth = [&](std::int64_t ns) {
      return static_cast<double>(size) / static_cast<double>(ns);
    };
    if (latency)
      host.print("      {:<15}{:<15.3f}{:.3f}\n", size_name(size), static_cast<double>(mean) / 1000,
                 static_cast<double>(best) / 1000);
    else
      host.print("      {:<15}{:<15.3f}{:<15.3f}{:<15.3f}{:.3f}\n", size_name(size),
                 static_cast<double>(mean) / 1000, bandwidth(mean), static_cast<double>(best) / 1000,
                 bandwidth(best));
  }
}

int bad_options(Host& host, const char* text) {
  host.print("{}\nPlease run with -h for help.\n", text);
  return 1;
}

std::optional<std::vector<std::int64_t>> sizes_of(const Parsed& parsed) {
  std::vector<std::int64_t> sizes;
  const auto text = parsed.value("-m");
  if (!text) {
    for (std::int64_t size = 1 << 10; size <= std::int64_t{512} << 20; size *= 2) sizes.push_back(size);
    return sizes;
  }
  for (std::string_view word : split(*text, ',')) {
    std::int64_t megabytes = 0;
    const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), megabytes);
    if (code != std::errc() || end != word.data() + word.size() || megabytes <= 0 || megabytes > 65'536 ||
        sizes.size() > 64)
      return std::nullopt;
    sizes.push_back(megabytes << 20);
  }
  return sizes;
}

int copies(Host& host, const Parsed& parsed, const Devices& devices) {
  const auto sizes = sizes_of(parsed);
  if (!sizes) return bad_options(host, "Invalid buffer size");
  const bool latency = parsed.has("-l"), cpu = parsed.has("-c");
  if (const auto both = parsed.value("-b")) {
    const auto list = device_list(*both, devices.size());
    if (!list) return bad_options(host, "Invalid device index in -b");
    if (list->size() == 1) sweep(host, devices, list->front(), list->front(), *sizes, true, latency, cpu);
    for (std::size_t i = 0; i < list->size(); ++i)
      for (std::size_t j = i + 1; j < list->size(); ++j)
        sweep(host, devices, (*list)[i], (*list)[j], *sizes, true, latency, cpu);
    return 0;
  }
  const auto from = device_list(parsed.value_or("-s", "0"), devices.size());
  const auto to = device_list(parsed.value_or("-d", "0"), devices.size());
  if (!from || !to) return bad_options(host, "Invalid device index in -s or -d");
  if (parsed.has("-s") != parsed.has("-d")) return bad_options(host, "Options -s and -d are used together");
  for (std::size_t a : *from)
    for (std::size_t b : *to) sweep(host, devices, a, b, *sizes, false, latency, cpu);
  return 0;
}

}  // namespace

int run_rocm_bandwidth_test(Host& host, const Args& args) {
  const ToolSpec& tool = host.tool("rocm-bandwidth-test");
  const Parsed parsed = parse_options(tool, Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone || !parsed.words.empty() || parsed.has("-h")) {
    host.out("Supported arguments:\n\n");
    for (const OptionSpec& option : tool.root.options) host.print("\t {}    {}\n", option.name, option.help);
    return parsed.problem == Problem::kNone && parsed.words.empty() ? 0 : 1;
  }
  const auto mixed = [&](const char* with, std::string_view letters) {
    for (char letter : letters)
      if (parsed.has(with) && parsed.has(std::string("-") + letter)) return true;
    return false;
  };
  if (mixed("-a", "lm") || mixed("-b", "clv") || mixed("-A", "clmv"))
    return bad_options(host, "Mixing of these options is not supported");
  const Devices devices(host);
  const std::string version = host.fact_or("packages.rocm_bandwidth_test", "");
  if (parsed.has("-q")) {
    host.print("RocmBandwidthTest Version: {}\n", version);
    return 0;
  }
  host.print(
      "........................................\n          RocmBandwidthTest Version: {}\n\n          Launch "
      "Command is: {}\n\n\n",
      version, join(args, " "));
  if (parsed.has("-e")) {
    list_devices(host, devices);
  } else if (parsed.has("-t")) {
    topology(host, devices);
  } else if (parsed.has("-s") || parsed.has("-d") || parsed.has("-b") || parsed.has("-m") ||
             parsed.has("-l")) {
    return copies(host, parsed, devices);
  } else {
    topology(host, devices);
    const bool valid = parsed.has("-v"), cpu = parsed.has("-c");
    if (valid)
      matrix(host, devices, "Data Path Validation",
             [](std::size_t, std::size_t) { return std::string("PASS"); });
    if (!parsed.has("-A") && !valid)
      matrix(host, devices, "Unidirectional copy peak bandwidth GB/s", [&](std::size_t from, std::size_t to) {
        if (devices.is_cpu(from) && devices.is_cpu(to)) return std::string("N/A");
        return rate_text(devices.rate(from, to) * (cpu ? 97 : 100) / 100, 3);
      });
    if (!parsed.has("-a") && !valid)
      matrix(host, devices, "Bidirectional copy peak bandwidth GB/s", [&](std::size_t from, std::size_t to) {
        if ((devices.is_cpu(from) && devices.is_cpu(to)) || from == to) return std::string("N/A");
        return rate_text((devices.rate(from, to) + devices.rate(to, from)) * (cpu ? 97 : 100) / 100, 3);
      });
  }
  return 0;
}

}  // namespace micius::emu
