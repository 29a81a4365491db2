// amd-smi set and reset. The program is root and has a target when it comes here.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/amd/amd_smi_internal.h"

namespace micius::emu::amd {
namespace {

std::int64_t number_of(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string power_cap(Host& host, std::size_t gpu, const std::string& watts) {
  const std::int64_t wanted = number_of(watts);
  if (host.gpu(gpu, "secondary")) return "N/A";
  if (wanted > host.gpu_number(gpu, "power.max") ||
      wanted < std::max<std::int64_t>(1, host.gpu_number(gpu, "power.min")))
    return fmt::format("Power cap must be between {}W and {}W", host.gpu_number(gpu, "power.min"),
                       host.gpu_number(gpu, "power.max"));
  if (wanted == host.gpu_number(gpu, "power.cap"))
    return fmt::format("Power cap is already set to {}", wanted);
  host.set_gpu(gpu, "power.cap", std::to_string(wanted));
  return fmt::format("Successfully set power cap to {}W", wanted);
}

std::string compute_partition(Host& host, std::size_t gpu, const std::string& type) {
  if (!host.gpu(gpu, "xcp") || type == "TPX")
    return fmt::format("[AMDSMI_STATUS_NOT_SUPPORTED] Unable to set compute partition to {}", type);
  if (busy(host, gpu)) return fmt::format("[AMDSMI_STATUS_BUSY] Unable to set compute partition to {}", type);
  host.set_gpu(gpu, "compute_partition", type);
  return fmt::format("Successfully set compute partition to {}", type);
}

std::string memory_partition(Host& host, std::size_t gpu, const std::string& type) {
  const std::string modes = "," + host.gpu(gpu, "memory_partition_caps").value_or("") + ",";
  if (!host.gpu(gpu, "xcp") || modes.find("," + type + ",") == std::string::npos)
    return fmt::format("[AMDSMI_STATUS_NOT_SUPPORTED] Unable to set memory partition to {}", type);
  if (busy(host, gpu)) return fmt::format("[AMDSMI_STATUS_BUSY] Unable to set memory partition to {}", type);
  host.set_gpu(gpu, "memory_partition", type);
  return fmt::format("Successfully set memory partition to {}", type);
}

std::string policy(Host& host, std::size_t gpu, const char* key, const std::string& id, std::int64_t count,
                   std::string_view name) {
  if (!host.gpu(gpu, "xcp"))
    return fmt::format("[AMDSMI_STATUS_NOT_SUPPORTED] Unable to set {} to id {}", name, id);
  if (number_of(id) < 0 || number_of(id) >= count)
    return fmt::format("[AMDSMI_STATUS_INVAL] Unable to set {} to id {}", name, id);
  host.set_gpu(gpu, key, id);
  return fmt::format("Successfully set {} to id {}", name, id);
}

std::string clock_limit(Host& host, std::size_t gpu, const std::vector<std::string>& words) {
  const std::string clock = lower_ascii(words[0]), limit = lower_ascii(words[1]);
  host.set_gpu(gpu, clock + "." + limit, words[2]);
  return fmt::format("Successfully changed {} {} to {}MHz", clock, limit, words[2]);
}

std::string determinism(Host& host, std::size_t gpu, const std::string& limit) {
  if (number_of(limit) < host.gpu_number(gpu, "sclk.min") ||
      number_of(limit) > host.gpu_number(gpu, "max_clock"))
    return fmt::format(
        "[AMDSMI_STATUS_INVAL] Unable to set performance determinism and clock frequency to {}", limit);
  host.set_gpu(gpu, "perf_level", "determinism");
  host.set_gpu(gpu, "sclk.max", limit);
  return fmt::format("Successfully enabled performance determinism and set GFX clock frequency to {}", limit);
}

std::string profile(Host& host, std::size_t gpu, std::string name) {
  constexpr std::string_view kNames[] = {"CUSTOM", "VIDEO", "POWER SAVING", "COMPUTE", "BOOTUP DEFAULT"};
  name = replace_all(name, "_", " ");
  for (std::string_view known : kNames)
    if (lower_ascii(known) == lower_ascii(name)) {
      host.set_gpu(gpu, "profile", std::string(known));
      return fmt::format("Successfully set power profile to {}", known);
    }
  return "[AMDSMI_STATUS_NOT_SUPPORTED] Unable to set power profile";
}

// The values that must be numbers; the first that is none.
std::optional<std::string> wrong_number(const Parsed& parsed) {
  for (const char* option :
       {"-d", "-o", "-p", "-x", "--cpu-pwr-limit", "--core-boost-limit", "--soc-boost-limit"})
    if (auto value = parsed.value(option); value && !is_integer(*value)) return value;
  if (const Given* limit = parsed.find("-L")) {
    const std::string clock = lower_ascii(limit->values[0]), end = lower_ascii(limit->values[1]);
    if (clock != "sclk" && clock != "mclk") return limit->values[0];
    if (end != "min" && end != "max") return limit->values[1];
    if (!is_integer(limit->values[2])) return limit->values[2];
  }
  return std::nullopt;
}

Json set_gpu_values(const AmdSmi& smi, std::size_t gpu) {
  Host& host = smi.host;
  Json result{{"gpu", gpu}};
  const auto when = [&](const char* option, const char* key, auto&& action) {
    if (const auto value = smi.parsed.value(option)) result[key] = action(*value);
  };
  when("-f", "fan", [&](const std::string& level) {
    return fmt::format("[AMDSMI_STATUS_NOT_SUPPORTED] Unable to set fan speed to {}",
                       shorten(to_valid_utf8(level), 20));
  });
  when("-l", "perflevel", [&](const std::string& level) {
    host.set_gpu(gpu, "perf_level", lower_ascii(level));
    return "Successfully set performance level " + level;
  });
  when("-P", "profile", [&](const std::string& name) { return profile(host, gpu, name); });
  when("-d", "perfdeterminism", [&](const std::string& limit) { return determinism(host, gpu, limit); });
  when("-C", "computepartition", [&](const std::string& type) { return compute_partition(host, gpu, type); });
  when("-M", "memorypartition", [&](const std::string& type) { return memory_partition(host, gpu, type); });
  when("-o", "powercap", [&](const std::string& watts) { return power_cap(host, gpu, watts); });
  when("-p", "socpstate", [&](const std::string& id) {
    return policy(host, gpu, "soc_pstate", id, 4, "soc pstate dpm policy");
  });
  when("-x", "xgmiplpd", [&](const std::string& id) {
    return policy(host, gpu, "xgmi_plpd", id, 3, "per-link power down policy");
  });
  if (const Given* limit = smi.parsed.find("-L")) result["clk_limit"] = clock_limit(host, gpu, limit->values);
  when("-R", "process_isolation", [&](const std::string& state) {
    host.set_gpu(gpu, "process_isolation", state == "1" ? "Enabled" : "Disabled");
    return fmt::format("Successfully set process isolation to {}", state);
  });
  return result;
}

Json set_cpu_values(const AmdSmi& smi, const std::string& index) {
  Json result{{smi.parsed.has("-U") ? "cpu" : "core", plain_value(index)}};
  for (const char* option : {"--cpu-pwr-limit", "--soc-boost-limit", "--core-boost-limit"})
    if (const auto value = smi.parsed.value(option)) {
      const std::string key = replace_all(std::string(option).substr(2), "-", "_");
      smi.host.set_value(fmt::format("cpu{}.{}", index, key), *value);
      result[key] = fmt::format("[\'{}\']  Set Operation successful", *value);
    }
  return result;
}

}  // namespace

int set_values(const AmdSmi& smi) {
  if (const auto word = wrong_number(smi.parsed))
    return complain(smi.host, smi.format, -5,
                    "Value '{}' is not of valid type or format. Run 'amd-smi set --help' for more info.",
                    *word);
  std::vector<Json> reports;
  if (const Given* sockets = smi.parsed.find(smi.parsed.has("-U") ? "-U" : "-O")) {
    for (const std::string& index : sockets->values)
      if (is_integer(index) && number_of(index) < 512) reports.push_back(set_cpu_values(smi, index));
  } else {
    for (std::size_t gpu : smi.gpus) reports.push_back(set_gpu_values(smi, gpu));
  }
  if (!reports.empty() && reports.front().size() == 1)
    return complain(smi.host, smi.format, -9,
                    "Command '{}' requires a set argument. Run '--help' for more info.", "set");
  print_reports(smi, reports);
  return 0;
}

int reset_values(const AmdSmi& smi) {
  std::vector<Json> reports;
  for (std::size_t gpu : smi.gpus) {
    Json result{{"gpu", gpu}};
    const auto restore = [&](std::initializer_list<const char*> keys) {
      for (const char* key : keys) smi.host.set_value(fmt::format("gpu{}.{}", gpu, key), std::nullopt);
    };
    if (smi.parsed.has("-G")) {
      restore({"perf_level", "mask.sclk", "mask.mclk", "mask.pcie", "sclk.min", "sclk.max", "mclk.min",
               "mclk.max", "overdrive.sclk", "overdrive.mclk", "profile", "power.cap"});
      smi.host.set_gpu(gpu, "resets", std::to_string(smi.host.gpu_number(gpu, "resets") + 1));
      result["gpu_reset"] = "Successfully reset GPU";
    }
    if (smi.parsed.has("-c")) {
      restore({"perf_level", "mask.sclk", "mask.mclk", "mask.pcie", "overdrive.sclk", "overdrive.mclk"});
      result["reset_clocks"] = Json{{"overdrive", "Overdrive set to 0"},
                                    {"clocks", "Successfully reset clocks"},
                                    {"performance", "Performance level reset to auto"}};
    }
    if (smi.parsed.has("-f")) result["reset_fans"] = "N/A";
    if (smi.parsed.has("-p")) {
      restore({"profile", "perf_level"});
      result["reset_profile"] = Json{{"power_profile", "Successfully reset Power Profile"},
                                     {"performance_level", "Successfully reset Performance Level"}};
    }
    if (smi.parsed.has("-x")) result["reset_xgmi_err"] = "Successfully reset XGMI Error count";
    if (smi.parsed.has("-d")) {
      restore({"perf_level", "sclk.max"});
      result["reset_perf_determinism"] = "Successfully disabled performance determinism";
    }
    if (smi.parsed.has("-o")) {
      const std::string normal = fill(smi.host, gpu, "{power.default}");
      const bool there = smi.host.gpu(gpu, "power.cap") == normal;
      restore({"power.cap"});
      result["powercap"] =
          there ? "Power cap is already set to default" : "Successfully set power cap to " + normal + "W";
    }
    if (smi.parsed.has("-l")) result["clean_local_data"] = "Successfully clean GPU local data";
    reports.push_back(std::move(result));
  }
  if (!reports.empty() && reports.front().size() == 1)
    return complain(smi.host, smi.format, -9,
                    "Command '{}' requires a reset argument. Run '--help' for more info.", "reset");
  print_reports(smi, reports);
  return 0;
}

}  // namespace micius::emu::amd
