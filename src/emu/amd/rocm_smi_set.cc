// rocm-smi: clocks, performance level, OverDrive, power cap and profile.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/amd/rocm_smi_setter_internal.h"

namespace micius::emu::amd {
namespace {

std::int64_t number_of(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

void Setter::reset_clocks() {
  smi_.spacer(" Reset Clocks ");
  for (std::size_t gpu : smi_.gpus) {
    for (const char* key :
         {"overdrive.sclk", "perf_level", "mask.sclk", "mask.mclk", "mask.pcie", "mask.fclk", "mask.socclk"})
      restore(gpu, key);
    smi_.log(gpu, "OverDrive set to 0");
    smi_.log(gpu, "Successfully reset clocks");
    smi_.log(gpu, "Performance level reset to auto");
  }
}

void Setter::set_levels(const std::string& type, const std::vector<std::string>& words) {
  const std::vector<std::string> known = {"dcefclk", "fclk", "mclk", "pcie", "sclk", "socclk"};
  if (std::find(known.begin(), known.end(), type) == known.end()) {
    smi_.warn("ERROR", "GPU[None]\t: Unable to set clock level");
    smi_.warn("ERROR", "Invalid clock type " + safe_word(type));
    return;
  }
  std::uint64_t mask = 0;
  for (const std::string& word : words) {
    const std::int64_t bit = number_of(word);
    if (!is_integer(word) || bit < 0 || bit > 62) {
      smi_.warn("ERROR", "Invalid frequency: " + safe_word(word));
      return;
    }
    mask |= std::uint64_t{1} << bit;
  }
  smi_.spacer(fmt::format(" Set {} Frequency ", type));
  for (std::size_t gpu : smi_.gpus) {
    if (host_.gpu(gpu, "perf_level") != "manual") {
      host_.set_gpu(gpu, "perf_level", "manual");
      smi_.log(gpu, "Performance level was set to manual");
    }
    const auto steps = clock(host_, gpu, type);
    if (!steps) {
      smi_.log(gpu, fmt::format("get_gpu_clk_freq_{}, Not supported on the given system", type));
      return;
    }
    if (mask >= std::uint64_t{1} << steps->steps.size()) {
      smi_.warn("ERROR", gpu_line(gpu, fmt::format("Invalid {} frequency {:#x}",
                                                   type == "pcie" ? "PCIe" : "clock", mask)));
      return;
    }
    host_.set_gpu(gpu, "mask." + type, std::to_string(mask));
    smi_.log(gpu,
             fmt::format("Successfully set {} {}", type, type == "pcie" ? "to level bitmask" : "bitmask to"),
             fmt::format("{:#x}", mask));
  }
  smi_.spacer();
}

void Setter::levels() {
  if (const auto words = values("--setclock"); words.size() == 2) set_levels(words[0], {words[1]});
  for (const char* type : {"sclk", "mclk", "pcie"})
    if (const auto words = values((std::string("--set") + type).c_str()); !words.empty())
      set_levels(type, words);
}

// A level's or a curve point's clock and voltage: no such table on these boards.
void Setter::points() {
  for (const char* option : {"--setslevel", "--setmlevel", "--setvc"}) {
    const auto words = values(option);
    if (words.size() != 3 || smi_.stop) continue;
    if (!std::all_of(words.begin(), words.end(), [](const std::string& word) { return is_integer(word); })) {
      smi_.warn("ERROR", "GPU[None]\t: Non-integer characters are present in " + safe_word(join(words, " ")));
      continue;
    }
    confirm(kOutOfSpecification, "y/N");
    if (smi_.stop) return;
    for (std::size_t gpu : smi_.gpus) {
      smi_.log(gpu, std::string(option == std::string_view("--setvc") ? "set_voltage_curve"
                                                                      : "set_power_play_table_level") +
                        ", Not supported on the given system");
      smi_.warn("ERROR", gpu_line(gpu, fmt::format("Unable to set voltage point {} to {}(MHz) {}(mV)",
                                                   words[0], words[1], words[2])));
    }
  }
}

void Setter::set_range(const std::string& type, const std::string& low, const std::string& high) {
  if (!is_integer(low) || !is_integer(high)) {
    smi_.warn("ERROR", fmt::format("GPU[None]\t: Unable to set {} range", type));
    smi_.warn("ERROR", fmt::format("{} or {} is not an integer", safe_word(low), safe_word(high)));
    return;
  }
  confirm(kOutOfSpecification, "y/N");
  if (smi_.stop) return;
  smi_.spacer(fmt::format(" Set Valid {} Range ", type));
  for (std::size_t gpu : smi_.gpus) {
    if (number_of(low) > number_of(high) || number_of(low) < 0) {
      smi_.warn("ERROR",
                gpu_line(gpu, fmt::format("Unable to set {} from {}(MHz) to {}(MHz)", type, low, high)));
      continue;
    }
    host_.set_gpu(gpu, type + ".min", low);
    host_.set_gpu(gpu, type + ".max", high);
    smi_.log(gpu, fmt::format("Successfully set {} from {}(MHz) to {}(MHz)", type, low, high));
  }
}

void Setter::set_extremum(const std::vector<std::string>& words) {
  if (words[0] != "min" && words[0] != "max") {
    smi_.line(fmt::format("Invalid extremum identifier {}, use min or max", safe_word(words[0])));
    return;
  }
  if (words[1] != "sclk" && words[1] != "mclk") {
    smi_.line(fmt::format("Invalid clock type identifier {}, use sclk or mclk ", safe_word(words[1])));
    return;
  }
  if (!is_integer(words[2])) {
    smi_.warn("ERROR", "GPU[None]\t: Unable to set " + safe_word(words[2]));
    return;
  }
  confirm(kOutOfSpecification, "y/N");
  if (smi_.stop) return;
  smi_.spacer(fmt::format(" Set Valid {} Extremum ", words[1]));
  for (std::size_t gpu : smi_.gpus) {
    host_.set_gpu(gpu, words[1] + "." + words[0], words[2]);
    smi_.log(gpu, fmt::format("Successfully set {} {} to {}(MHz)", words[0], words[1], words[2]));
  }
}

void Setter::ranges() {
  if (const auto words = values("--setextremum"); words.size() == 3) set_extremum(words);
  for (const auto& [option, type] : {std::pair{"--setsrange", "sclk"}, std::pair{"--setmrange", "mclk"}})
    if (const auto words = values(option); words.size() == 2 && !smi_.stop)
      set_range(type, words[0], words[1]);
}

void Setter::performance_level(const std::string& level) {
  constexpr std::string_view kLevels[] = {"auto", "low", "high", "manual"};
  smi_.spacer(" Set Performance Level ");
  for (std::size_t gpu : smi_.gpus) {
    if (std::find(std::begin(kLevels), std::end(kLevels), level) == std::end(kLevels)) {
      smi_.warn("ERROR", gpu_line(gpu, "Unable to set Performance Level"));
      smi_.warn("ERROR", "Invalid Performance level: " + safe_word(level));
      continue;
    }
    if (level != "manual")
      for (const char* key : {"mask.sclk", "mask.mclk", "mask.pcie", "mask.fclk", "mask.socclk"})
        restore(gpu, key);
    host_.set_gpu(gpu, "perf_level", level);
    smi_.log(gpu, "Performance level set to " + level);
  }
  smi_.spacer();
}

void Setter::overdrive(const char* option, const char* type) {
  std::string percent = value(option);
  smi_.spacer(" Set Clock OverDrive (Range: 0% to 20%) ");
  if (!is_integer(percent)) {
    smi_.line("Unable to set OverDrive level");
    smi_.warn("ERROR", safe_word(percent) + " it is not an integer");
    return;
  }
  confirm(kOutOfSpecification, "y/N");
  if (smi_.stop) return;
  for (std::size_t gpu : smi_.gpus) {
    if (number_of(percent) < 0) {
      smi_.warn("ERROR", gpu_line(gpu, "Unable to set OverDrive"));
      return;
    }
    if (number_of(percent) > 20) {
      smi_.log(gpu, "Setting OverDrive to 20%");
      percent = "20";
    }
    if (host_.gpu(gpu, "perf_level") != "manual") {
      host_.set_gpu(gpu, "perf_level", "manual");
      smi_.log(gpu, "Performance level set to manual");
    }
    host_.set_gpu(gpu, std::string("overdrive.") + type, percent);
    smi_.log(gpu, fmt::format("Successfully set {} OverDrive to {}%", type, percent));
  }
}

void Setter::power(const std::string& watts) {
  if (!is_integer(watts)) {
    smi_.line("Unable to set Power OverDrive");
    smi_.warn("ERROR", safe_word(watts) + " is not an integer");
    return;
  }
  const std::int64_t wanted = number_of(watts);
  smi_.spacer(wanted == 0 ? " Reset GPU Power OverDrive " : " Set GPU Power OverDrive ");
  bool confirmed = false;
  for (std::size_t gpu : smi_.gpus) {
    if (host_.gpu(gpu, "secondary")) continue;
    const std::int64_t most = host_.gpu_number(gpu, "power.max"), least = host_.gpu_number(gpu, "power.min");
    if (wanted > most || wanted < least) {
      smi_.warn("ERROR", gpu_line(gpu, "Unable to set Power OverDrive"));
      smi_.warn("ERROR", fmt::format("GPU[{}]\t\t: Value cannot be {} than: {}W ", gpu,
                                     wanted > most ? "greater" : "less", wanted > most ? most : least));
      continue;
    }
    const std::int64_t normal = host_.gpu_number(gpu, "power.default");
    const std::int64_t next = wanted == 0 ? normal : wanted;
    if (next == host_.gpu_number(gpu, "power.cap"))
      smi_.log(gpu, fmt::format("Max power was already at: {}.0W", next));
    if (!confirmed && next > std::max(normal, host_.gpu_number(gpu, "power.cap"))) {
      confirm(kOutOfSpecification, "y/N");
      if (smi_.stop) return;
      confirmed = true;
    }
    host_.set_gpu(gpu, "power.cap", std::to_string(next));
    smi_.log(gpu, wanted == 0 ? fmt::format("Successfully reset Power OverDrive to: {}W", next)
                              : fmt::format("Successfully set power to: {}W", watts));
  }
  smi_.spacer();
}

void Setter::profile(std::string name) {
  constexpr std::string_view kNames[] = {"CUSTOM", "VIDEO",          "POWER SAVING",  "COMPUTE",
                                         "VR",     "3D FULL SCREEN", "BOOTUP DEFAULT"};
  smi_.spacer(" Set Power Profile ");
  const std::string given = name;
  if (is_integer(name) && number_of(name) > 0 && number_of(name) < 8)
    name = kNames[number_of(name) - 1];
  else
    name = replace_all(name, "_", " ");
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (std::size_t gpu : smi_.gpus) {
    if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) {
      smi_.warn("ERROR", gpu_line(gpu, fmt::format("Unable to set profile to: {} (UNKNOWN profile)",
                                                   safe_word(given))));
      return;
    }
    if (host_.gpu(gpu, "profile") == name) {
      smi_.log(gpu, "Profile was already set to", name);
      return;
    }
    if (name == "VR" || name == "3D FULL SCREEN") {
      smi_.log(gpu, "set_power_profile, Not supported on the given system");
    } else {
      host_.set_gpu(gpu, "profile", name);
      smi_.log(gpu, "Successfully set profile to", name);
    }
    smi_.spacer();
  }
}

void Setter::reset_profile() {
  smi_.spacer(" Reset Profile ");
  for (std::size_t gpu : smi_.gpus) {
    restore(gpu, "profile");
    restore(gpu, "perf_level");
    smi_.log(gpu, "Successfully reset Power Profile");
    smi_.log(gpu, "Successfully reset Performance Level");
  }
  smi_.spacer();
}

void Setter::determinism() {
  if (const auto words = values("--setperfdeterminism"); !words.empty())
    for (std::size_t gpu : smi_.gpus) {
      const std::int64_t limit = number_of(words[0]);
      if (limit < host_.gpu_number(gpu, "sclk.min") || limit > host_.gpu_number(gpu, "max_clock")) {
        smi_.log(gpu, "set_perf_determinism, Invalid argument");
        smi_.warn("ERROR",
                  gpu_line(gpu, fmt::format("Unable to set performance determinism and clock frequency to {}",
                                            limit)));
        continue;
      }
      host_.set_gpu(gpu, "perf_level", "determinism");
      host_.set_gpu(gpu, "sclk.max", std::to_string(limit));
      smi_.log(gpu, "Successfully enabled performance determinism and set GFX clock frequency",
               std::to_string(limit));
    }
}

}  // namespace micius::emu::amd
