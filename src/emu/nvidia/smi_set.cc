// nvidia-smi's set commands: -pm, -pl, -lgc, -ac, -c, -e, -mig, -r and their kin.
#include <algorithm>
#include <charconv>
#include <functional>

#include "base/text.h"
#include "emu/nvidia/smi_internal.h"

namespace micius::emu::smi {
namespace {

constexpr int kWarning = -1;  // "Treating as warning and moving on."

struct Setting {
  Host& host;
  std::size_t gpu;
  std::string bus;
  std::string value;   // as given
  std::string choice;  // its word for options with a list: "0" and "disabled" are "DISABLED"
};

// What an option does to one GPU: an exit status, or kWarning.
using Action = int (*)(const Setting&);

struct Setter {
  const char* option;
  const char* denied;  // what is said without root, with {} for the bus; null: no root needed
  Action action;
  bool choices;  // the value is one of the table's list
};

bool read_int(std::string_view text, std::int64_t& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size();
}

// "1200,1410" or "1200": both ends of a clock range.
bool read_range(const std::string& text, std::int64_t& low, std::int64_t& high) {
  const std::size_t comma = text.find(',');
  if (!read_int(std::string_view(text).substr(0, comma), low)) return false;
  high = low;
  if (comma != std::string::npos && !read_int(std::string_view(text).substr(comma + 1), high)) return false;
  return low > 0 && high >= low && high < 100'000;
}

int enabled_text(const Setting& set, const char* field, const char* changed, const char* already,
                 const char* dot = ".") {
  const std::string wanted = set.choice == "ENABLED" ? "Enabled" : "Disabled";
  const auto now = set.host.gpu(set.gpu, field);
  if (!now) {
    set.host.print("{} is not supported for GPU {}.\n", already, set.bus);
    return kWarning;
  }
  if (*now == wanted) {
    set.host.print("{} is already {} for GPU {}.\n", already, wanted, set.bus);
  } else {
    set.host.set_gpu(set.gpu, field, wanted);
    set.host.print("{} {} for GPU {}{}\n", wanted, changed, set.bus, dot);
  }
  return kOk;
}

int persistence(const Setting& set) {
  return enabled_text(set, "persistence_mode", "persistence mode", "Persistence mode");
}
int accounting(const Setting& set) {
  return enabled_text(set, "accounting.mode", "Accounting Mode", "Accounting Mode");
}
int ecc(const Setting& set) { return enabled_text(set, "ecc.mode.pending", "ECC support", "ECC support"); }
int dram_encryption(const Setting& set) {
  return enabled_text(set, "dramEncryption.mode.pending", "DRAM Encryption Mode", "DRAM Encryption Mode");
}

int reset_ecc(const Setting& set) {
  const bool volatile_ones = set.choice == "VOLATILE";
  const std::string part = volatile_ones ? ".volatile." : ".aggregate.";
  for (const char* kind : {"corrected", "uncorrected"})
    for (const char* where : {"dram", "device_memory", "sram", "total"}) {
      const std::string field = fmt::format("ecc.errors.{}{}{}", kind, part, where);
      if (set.host.gpu(set.gpu, field)) set.host.set_gpu(set.gpu, field, "0");
    }
  set.host.print("Reset {} ECC errors to zero for GPU {}.\n", volatile_ones ? "volatile" : "aggregate",
                 set.bus);
  return kOk;
}

int compute_mode(const Setting& set) {
  const std::string word = set.choice == "DEFAULT"             ? "Default"
                           : set.choice == "EXCLUSIVE_PROCESS" ? "Exclusive_Process"
                           : set.choice == "PROHIBITED"        ? "Prohibited"
                                                               : "Exclusive_Thread";
  if (word == "Exclusive_Thread") {
    set.host.print("Exclusive Thread compute mode is deprecated for GPU {}.\n", set.bus);
    return kWarning;
  }
  if (set.host.gpu(set.gpu, "compute_mode") == word) {
    set.host.print("Compute mode is already set to {} for GPU {}.\n", set.choice, set.bus);
  } else {
    set.host.set_gpu(set.gpu, "compute_mode", word);
    set.host.print("Set compute mode to {} for GPU {}.\n", set.choice, set.bus);
  }
  return kOk;
}

int mig_mode(const Setting& set) {
  const bool on = set.choice == "ENABLED";
  const std::string wanted = on ? "Enabled" : "Disabled";
  const char* verb = on ? "enable" : "disable";
  if (!set.host.gpu(set.gpu, "mig.mode.current")) {
    set.host.print("Unable to {} MIG Mode for GPU {}: Not Supported\nTreating as warning and moving on.\n",
                   verb, set.bus);
    return kUnsupported;
  }
  const bool in_use = !gpu_processes(set.host, set.gpu).empty() || !mig_instances(set.host, set.gpu).empty();
  if (set.host.gpu(set.gpu, "mig.mode.current") != wanted && in_use) {
    set.host.print("Unable to {} MIG Mode for GPU {}: In use by another client\n", verb, set.bus);
    return 255;
  }
  set.host.set_gpu(set.gpu, "mig.mode.current", wanted);
  set.host.set_gpu(set.gpu, "mig.mode.pending", wanted);
  set.host.print("{} MIG Mode for GPU {}\n", wanted, set.bus);
  return kOk;
}

void clocks_to(const Setting& set, std::int64_t low, std::int64_t high) {
  const bool busy = set.host.gpu_number(set.gpu, "utilization.gpu") > 0;
  const std::int64_t top = std::min(high, set.host.gpu_number(set.gpu, "clocks.max.graphics"));
  const std::int64_t now =
      busy ? top : std::min(top, std::max(low, set.host.gpu_number(set.gpu, "clocks.idle.graphics")));
  for (const char* field : {"clocks.current.graphics", "clocks.current.sm"})
    set.host.set_gpu(set.gpu, field, std::to_string(now));
}

int lock_graphics(const Setting& set) {
  std::int64_t low = 0, high = 0;
  std::string first = set.value.substr(0, set.value.find(',')),
              second = set.value.substr(set.value.find(',') + 1);
  const bool words = (first == "tdp" || first == "base") && (second == "tdp" || second == "base");
  if (!words && !read_range(set.value, low, high)) return invalid(set.host);
  if (words) {
    low = high = set.host.gpu_number(set.gpu, "clocks.max.graphics");
  } else {
    first = std::to_string(low);
    second = std::to_string(high);
  }
  set.host.set_gpu(set.gpu, "clocks.locked.graphics", first + "," + second);
  clocks_to(set, low, high);
  set.host.print("GPU clocks set to \"(gpuClkMin {}, gpuClkMax {})\" for GPU {}\n", first, second, set.bus);
  return kOk;
}

int unlock_graphics(const Setting& set) {
  if (!set.host.gpu(set.gpu, "clocks.locked.graphics")) return kOk;
  set.host.set_gpu(set.gpu, "clocks.locked.graphics", "none");
  clocks_to(set, 0, set.host.gpu_number(set.gpu, "clocks.max.graphics"));
  return kOk;
}

int lock_memory(const Setting& set) {
  std::int64_t low = 0, high = 0;
  if (!read_range(set.value, low, high)) return invalid(set.host);
  set.host.set_gpu(set.gpu, "clocks.locked.memory", fmt::format("{},{}", low, high));
  set.host.set_gpu(set.gpu, "clocks.current.memory",
                   std::to_string(std::min(high, set.host.gpu_number(set.gpu, "clocks.max.memory"))));
  set.host.print("Memory clocks set to \"(memClkMin {}, memClkMax {})\" for GPU {}\n", low, high, set.bus);
  return kOk;
}

int unlock_memory(const Setting& set) {
  if (!set.host.gpu(set.gpu, "clocks.locked.memory")) return kOk;
  set.host.set_gpu(set.gpu, "clocks.locked.memory", "none");
  set.host.set_gpu(set.gpu, "clocks.current.memory",
                   set.host.gpu(set.gpu, "clocks.max.memory").value_or("0"));
  return kOk;
}

int lock_memory_deferred(const Setting& set) {
  std::int64_t clock = 0;
  if (!read_int(set.value, clock) || clock <= 0) return invalid(set.host);
  set.host.set_gpu(set.gpu, "clocks.deferred.memory", set.value);
  set.host.print("Deferred memory clocks set to \"(memClkMax {})\" for GPU {}\n", clock, set.bus);
  return kOk;
}

int unlock_memory_deferred(const Setting& set) {
  if (set.host.gpu(set.gpu, "clocks.deferred.memory"))
    set.host.set_gpu(set.gpu, "clocks.deferred.memory", "N/A");
  return kOk;
}

int application_clocks(const Setting& set) {
  const std::size_t comma = set.value.find(',');
  std::int64_t memory = 0, graphics = 0;
  if (comma == std::string::npos || !read_int(std::string_view(set.value).substr(0, comma), memory) ||
      !read_int(std::string_view(set.value).substr(comma + 1), graphics))
    return invalid(set.host);
  const Json* clocks = set.host.json("supported_clocks");
  bool known = false;
  if (clocks != nullptr)
    for (const Json& mhz : (*clocks)["memory"])
      known = known || (mhz == memory && graphics <= (*clocks)["graphics_max"].get<std::int64_t>() &&
                        graphics >= (*clocks)["graphics_min"].get<std::int64_t>() &&
                        ((*clocks)["graphics_max"].get<std::int64_t>() - graphics) %
                                (*clocks)["step"].get<std::int64_t>() ==
                            0);
  if (!known) {
    set.host.print(
        "Specified clock combination \"(MEM {}, SM {})\" is not supported for GPU {}. Run 'nvidia-smi -q -d "
        "SUPPORTED_CLOCKS' to see list of supported clock combinations\n",
        memory, graphics, set.bus);
    return kWarning;
  }
  set.host.set_gpu(set.gpu, "clocks.applications.memory", std::to_string(memory));
  set.host.set_gpu(set.gpu, "clocks.applications.graphics", std::to_string(graphics));
  set.host.print("Applications clocks set to \"(MEM {}, SM {})\" for GPU {}\n", memory, graphics, set.bus);
  return kOk;
}

int reset_application_clocks(const Setting& set) {
  for (const char* part : {"memory", "graphics"})
    set.host.set_gpu(
        set.gpu, fmt::format("clocks.applications.{}", part),
        set.host.gpu(set.gpu, fmt::format("clocks.default_applications.{}", part)).value_or("N/A"));
  return kOk;
}

int clocks_permission(const Setting& set) {
  set.host.set_gpu(set.gpu, "clocks.applications.permission", set.choice);
  set.host.print("Applications clocks commands have been set to {} for GPU {}\n", set.choice, set.bus);
  return kOk;
}

int power_limit(const Setting& set) {
  double watts = 0;
  const auto [end, code] = std::from_chars(set.value.data(), set.value.data() + set.value.size(), watts);
  if (code != std::errc() || end != set.value.data() + set.value.size()) return invalid(set.host);
  const std::string low = set.host.gpu(set.gpu, "power.min_limit").value_or("0");
  const std::string high = set.host.gpu(set.gpu, "power.max_limit").value_or("0");
  if (!(watts >= std::stod(low) && watts <= std::stod(high))) {
    set.host.print(
        "Provided power limit {:.2f} W is not a valid power limit which should be between {} W and {} W for "
        "GPU {}\n",
        watts, low, high, set.bus);
    return kInvalid;
  }
  const std::string old = set.host.gpu(set.gpu, "power.limit").value_or("0");
  const std::string now = fmt::format("{:.2f}", watts);
  set.host.set_gpu(set.gpu, "power.limit", now);
  set.host.set_gpu(set.gpu, "enforced.power.limit", now);
  if (std::stod(set.host.gpu(set.gpu, "power.draw").value_or("0")) > watts)
    for (const char* field : {"power.draw", "power.draw.average", "power.draw.instant"})
      set.host.set_gpu(set.gpu, field, fmt::format("{:.2f}", watts - 1.42));
  set.host.print("Power limit for GPU {} was set to {} W from {} W.\n", set.bus, now, old);
  return kOk;
}

int reset_gpu(const Setting& set) {
  if (!gpu_processes(set.host, set.gpu).empty()) {
    set.host.print("The following GPUs could not be reset:\n  GPU {}: In use by another client\n\n", set.bus);
    return 255;
  }
  const auto take_over = [&](const char* to, const char* from) {
    if (const auto value = set.host.gpu(set.gpu, from)) set.host.set_gpu(set.gpu, to, *value);
  };
  take_over("ecc.mode.current", "ecc.mode.pending");
  take_over("mig.mode.current", "mig.mode.pending");
  for (const char* where : {"dram", "device_memory", "sram", "total"})
    for (const char* kind : {"corrected", "uncorrected"}) {
      const std::string field = fmt::format("ecc.errors.{}.volatile.{}", kind, where);
      if (set.host.gpu(set.gpu, field)) set.host.set_gpu(set.gpu, field, "0");
    }
  unlock_graphics(set);
  unlock_memory(set);
  set.host.print("GPU {} was successfully reset.\n", set.bus);
  return kOk;
}

int clear_accounted(const Setting& set) {
  set.host.set_gpu(set.gpu, "accounting.cleared", "1");
  set.host.print("Cleared Accounted PIDs for GPU {}.\n", set.bus);
  return kOk;
}

int cuda_clocks(const Setting& set) {
  set.host.set_gpu(set.gpu, "clocks.cuda", set.choice);
  set.host.print("CUDA Clocks set to {} for GPU {}.\n", set.choice, set.bus);
  return kOk;
}

int target_temperature(const Setting& set) {
  std::int64_t celsius = 0;
  if (!read_int(set.value, celsius)) return invalid(set.host);
  set.host.print("Changing GPU target temperature is not supported for GPU {}.\n", set.bus);
  return kWarning;
}

int host_name(const Setting& set) {
  if (set.value.size() > 64) return invalid(set.host);
  set.host.set_gpu(set.gpu, "hostname", set.value);
  set.host.print("Set hostname to \"{}\" for GPU {}.\n", set.value, set.bus);
  return kOk;
}

int unsupported(const Setting& set) {
  set.host.print("The requested operation is not supported for GPU {}.\n", set.bus);
  return kWarning;
}

int scope(const Setting&) { return kOk; }  // says which limit -pl sets; these boards have one

constexpr const char* kClocksDenied =
    "The current user does not have permission to change clocks for GPU {}.";
constexpr Setter kSetters[] = {
    {"-pm", "Unable to set persistence mode for GPU {}: Insufficient Permissions", persistence, true},
    {"-e", "Unable to set ECC mode for GPU {}: Insufficient Permissions", ecc, true},
    {"-p", "Unable to reset ECC errors for GPU {}: Insufficient Permissions", reset_ecc, true},
    {"-c", "Unable to set compute mode for GPU {}: Insufficient Permissions", compute_mode, true},
    {"--gom", "Unable to set GPU operation mode for GPU {}: Insufficient Permissions", unsupported, true},
    {"-r", "Unable to reset GPU {}: Insufficient Permissions", reset_gpu, false},
    {"-vm", "Unable to set virtualization mode for GPU {}: Insufficient Permissions", unsupported, true},
    {"-lgc", kClocksDenied, lock_graphics, false},
    {"-rgc", kClocksDenied, unlock_graphics, false},
    {"-lmc", kClocksDenied, lock_memory, false},
    {"-rmc", kClocksDenied, unlock_memory, false},
    {"-lmcd", kClocksDenied, lock_memory_deferred, false},
    {"-rmcd", kClocksDenied, unlock_memory_deferred, false},
    {"-ac", kClocksDenied, application_clocks, false},
    {"-rac", kClocksDenied, reset_application_clocks, false},
    {"-acp", "Unable to set applications clocks permission for GPU {}: Insufficient Permissions",
     clocks_permission, true},
    {"-pl", "Failed to set power management limit for GPU {}: Insufficient Permissions", power_limit, false},
    {"-sc", nullptr, scope, true},
    {"-cc", "Unable to set CUDA clocks for GPU {}: Insufficient Permissions", cuda_clocks, true},
    {"-am", "Unable to set accounting mode for GPU {}: Insufficient Permissions", accounting, true},
    {"-caa", "Unable to clear accounted PIDs for GPU {}: Insufficient Permissions", clear_accounted, false},
    {"--auto-boost-default", "Unable to set auto boost for GPU {}: Insufficient Permissions", unsupported,
     true},
    {"--auto-boost-permission", "Unable to set auto boost permission for GPU {}: Insufficient Permissions",
     unsupported, true},
    {"-mig", "Unable to change MIG Mode for GPU {}: Insufficient Permissions", mig_mode, true},
    {"-gtt", "Unable to set GPU target temperature for GPU {}: Insufficient Permissions", target_temperature,
     false},
    {"-den", "Unable to set DRAM encryption mode for GPU {}: Insufficient Permissions", dram_encryption,
     true},
    {"--set-hostname", "Unable to set hostname for GPU {}: Insufficient Permissions", host_name, false},
    {"-t", "Unable to toggle the LED of {}: Insufficient Permissions", unsupported, true},
};

// The words of a choice list come in pairs of number and name: "0", "DISABLED", "1", "ENABLED".
std::optional<std::string> choice_of(const OptionSpec& option, const std::string& value) {
  std::string upper = value;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto at = std::find(option.values.begin(), option.values.end(), upper);
  if (at == option.values.end()) return std::nullopt;
  const auto index = static_cast<std::size_t>(at - option.values.begin());
  const bool pairs = option.values.size() % 2 == 0 && index % 2 == 0 && option.values[index].size() == 1 &&
                     option.values[index + 1].size() > 1;
  return option.values[pairs ? index + 1 : index];
}

const Setter* setter_of(const std::string& option) {
  const auto* found = std::find_if(std::begin(kSetters), std::end(kSetters),
                                   [&](const Setter& setter) { return option == setter.option; });
  return found == std::end(kSetters) ? nullptr : found;
}

int apply(const Command& command, const Given& given, const Setter& setter, bool& warned) {
  Host& host = command.host;
  const std::string value = given.values.empty() ? "" : given.values.front();
  std::string choice;
  if (setter.choices) {
    const auto found = choice_of(*given.option, value);
    if (!found) return invalid(host);
    choice = *found;
  }
  for (std::size_t gpu : command.gpus) {
    const std::string bus = bus_id(host, gpu);
    if (setter.denied != nullptr && !host.root()) {
      host.out(fmt::format(fmt::runtime(setter.denied), bus) +
               "\nTerminating early due to previous errors.\n");
      return kNoPermission;
    }
    const int exit = setter.action({host, gpu, bus, value, choice});
    if (exit == kWarning) {
      host.out("Treating as warning and moving on.\n");
      warned = true;
    } else if (exit != kOk) {
      if (exit != kInvalid || setter.action == power_limit)
        host.out("Terminating early due to previous errors.\n");
      return exit;
    }
  }
  return kOk;
}

}  // namespace

bool is_set(const Parsed& parsed) {
  return parsed.has("--get-hostname") ||
         std::any_of(parsed.options.begin(), parsed.options.end(),
                     [](const Given& given) { return setter_of(given.option->name) != nullptr; });
}

int set(const Command& command) {
  Host& host = command.host;
  if (command.parsed.has("--get-hostname")) {
    for (std::size_t gpu : command.gpus)
      host.print("Hostname for GPU {}: {}\n", bus_id(host, gpu), host.gpu(gpu, "hostname").value_or("N/A"));
    return kOk;
  }
  bool warned = false, reboot = false;
  for (const Given& given : command.parsed.options) {
    const Setter* setter = setter_of(given.option->name);
    if (setter == nullptr) continue;
    const int exit = apply(command, given, *setter, warned);
    if (exit != kOk) return exit;
    reboot = reboot || setter->action == ecc;
  }
  host.out("All done.\n");
  if (reboot) host.out("Reboot required.\n");
  return warned && command.parsed.has("-eow") ? kUnsupported : kOk;
}

}  // namespace micius::emu::smi
