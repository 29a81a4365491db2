// rocm-smi: GPU reset, partitions, RAS, saved settings, and the order of all set commands.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/amd/rocm_smi_setter_internal.h"

namespace micius::emu::amd {
namespace {

constexpr std::string_view kSets[] = {"-r",
                                      "--resetfans",
                                      "--resetprofile",
                                      "--resetpoweroverdrive",
                                      "--setclock",
                                      "--setsclk",
                                      "--setmclk",
                                      "--setpcie",
                                      "--setslevel",
                                      "--setmlevel",
                                      "--setvc",
                                      "--setsrange",
                                      "--setextremum",
                                      "--setmrange",
                                      "--setfan",
                                      "--setperflevel",
                                      "--setoverdrive",
                                      "--setmemoverdrive",
                                      "--setpoweroverdrive",
                                      "--setprofile",
                                      "--setperfdeterminism",
                                      "--setcomputepartition",
                                      "--setmemorypartition",
                                      "--rasenable",
                                      "--rasdisable",
                                      "--rasinject",
                                      "--gpureset",
                                      "--load",
                                      "--resetxgmierr",
                                      "--resetperfdeterminism"};

constexpr std::string_view kDriverRestart =
    "\n          ******WARNING******\n\n"
    "          Setting Dynamic Memory (NPS) partition modes require users to quit all GPU workloads.\n"
    "          ROCm SMI will then attempt to change memory (NPS) partition mode.\n"
    "          Upon a successful set, ROCm SMI will then initiate an action to restart AMD GPU driver.\n"
    "          This action will change all GPU's in the hive to the requested memory (NPS) partition "
    "mode.\n\n"
    "          Please use this utility with caution.\n          \n";

}  // namespace

const std::string_view kOutOfSpecification =
    "\n          ******WARNING******\n\n"
    "          Operating your AMD GPU outside of official AMD specifications or outside of\n"
    "          factory settings, including but not limited to the conducting of overclocking,\n"
    "          over-volting or under-volting (including use of this interface software,\n"
    "          even if such software has been directly or indirectly provided by AMD or otherwise\n"
    "          affiliated in any way with AMD), may cause damage to your AMD GPU, system components\n"
    "          and/or result in system failure, as well as cause other problems.\n"
    "          DAMAGES CAUSED BY USE OF YOUR AMD GPU OUTSIDE OF OFFICIAL AMD SPECIFICATIONS OR\n"
    "          OUTSIDE OF FACTORY SETTINGS ARE NOT COVERED UNDER ANY AMD PRODUCT WARRANTY AND\n"
    "          MAY NOT BE COVERED BY YOUR BOARD OR SYSTEM MANUFACTURER'S WARRANTY.\n"
    "          Please use this utility with caution.\n          \n";

std::string safe_word(const std::string& word) { return shorten(to_valid_utf8(word), 100); }

std::string gpu_line(std::size_t gpu, std::string_view text) {
  return fmt::format("GPU[{}]\t: {}", gpu, text);
}

// Asks, or takes --autorespond. The emulated programs have no standard input: the question meets its end.
void Setter::confirm(std::string_view warning, std::string_view choices) {
  constexpr std::string_view kYes[] = {"Yes", "yes", "y", "Y", "YES"};
  host_.out(warning);
  if (!smi_.parsed.has("--autorespond")) {
    host_.print("Do you accept these terms? [{}] ", choices);
    host_.error("Traceback (most recent call last):\nEOFError: EOF when reading a line\n");
    smi_.stop = 1;
    return;
  }
  if (std::find(std::begin(kYes), std::end(kYes), value("--autorespond")) != std::end(kYes)) return;
  host_.error("Confirmation not given. Exiting without setting value\n");
  smi_.stop = 1;
}

// Back to what the profile says.
void Setter::restore(std::size_t gpu, const char* key) {
  host_.set_value(fmt::format("gpu{}.{}", gpu, key), std::nullopt);
}

bool Setter::reset_gpu() {
  if (!smi_.parsed.has("--gpureset")) return false;
  smi_.stop = 0;
  if (!smi_.parsed.has("-d")) {
    smi_.warn("ERROR", "No device specified. One device must be specified for GPU reset");
    smi_.spacer();
    smi_.stop = 1;
    return true;
  }
  smi_.spacer(" Reset GPU ");
  if (smi_.gpus.size() > 1) {
    smi_.warn("ERROR", "GPU Reset can only be performed on one GPU per call");
    return true;
  }
  const std::size_t gpu = smi_.gpus.front();
  for (const char* key :
       {"perf_level", "mask.sclk", "mask.mclk", "mask.pcie", "mask.fclk", "mask.socclk", "sclk.min",
        "sclk.max", "mclk.min", "mclk.max", "overdrive.sclk", "overdrive.mclk", "profile", "power.cap"})
    restore(gpu, key);
  host_.set_gpu(gpu, "resets", std::to_string(host_.gpu_number(gpu, "resets") + 1));
  smi_.log(gpu, fmt::format("Successfully reset GPU {}", gpu));
  smi_.spacer();
  return true;
}

void Setter::compute_partition(const std::string& type) {
  smi_.spacer(fmt::format(" Set compute partition to {} ", type));
  for (std::size_t gpu : smi_.gpus) {
    if (!host_.gpu(gpu, "xcp")) {
      smi_.log(gpu, "Not supported on the given system");
    } else if (type == "TPX") {
      smi_.log(gpu, fmt::format("Requested setting ({}) is unavailable for current device", type));
    } else if (busy(host_, gpu)) {
      smi_.log(gpu, "Device is currently busy, try again later");
    } else {
      host_.set_gpu(gpu, "compute_partition", type);
      smi_.log(gpu, "Successfully set compute partition to " + type);
    }
  }
  smi_.spacer();
}

void Setter::memory_partition(const std::string& type) {
  smi_.spacer(fmt::format(" Set memory partition to {} ", type));
  confirm(kDriverRestart, "Y/N");
  if (smi_.stop) return;
  for (std::size_t gpu : smi_.gpus) {
    const std::string modes = host_.gpu(gpu, "memory_partition_caps").value_or("");
    if (!host_.gpu(gpu, "xcp")) {
      smi_.log(gpu, "Not supported on the given system");
    } else if (("," + modes + ",").find("," + type + ",") == std::string::npos) {
      smi_.log(gpu, "Device does not support setting to " + type);
      smi_.log(gpu, "Available memory partition modes: " + modes);
    } else if (busy(host_, gpu)) {
      smi_.log(gpu, "Device is currently busy, try again later");
    } else {
      host_.set_gpu(gpu, "memory_partition", type);
      smi_.log(gpu, "Successfully set memory partition to " + type);
    }
  }
  smi_.spacer();
}

void Setter::ras() {
  for (const char* option : {"--rasenable", "--rasdisable", "--rasinject"}) {
    const Given* given = smi_.parsed.find(option);
    if (given == nullptr) continue;
    if (given->values.size() < 2) {
      host_.error("Traceback (most recent call last):\nIndexError: list index out of range\n");
      smi_.stop = 1;
      return;
    }
    smi_.line(
        "This is experimental feature, use 'amdgpuras' tool for ras error manipulations for newer vbios");
    smi_.spacer();
    for (std::size_t gpu : smi_.gpus) smi_.warn("WARNING", gpu_line(gpu, "RAS control is not available"));
    smi_.spacer();
  }
}

void Setter::load(const std::string& path) {
  smi_.spacer(" Load Settings ");
  const std::string* text = host_.file(path);
  const Json settings =
      text == nullptr || text->size() > 65'536 ? Json(nullptr) : Json::parse(*text, nullptr, false);
  if (text == nullptr) {
    smi_.line("No settings file found at " + safe_word(path));
    smi_.spacer();
    smi_.stop = 0;
    return;
  }
  if (!settings.is_object()) {
    host_.error(
        "Traceback (most recent call last):\njson.decoder.JSONDecodeError: Expecting value: line 1 column 1 "
        "(char 0)\n");
    smi_.stop = 1;
    return;
  }
  for (const auto& [card, entry] : settings.items()) {
    std::size_t gpu = host_.gpu_count();
    if (card.size() > 4) std::from_chars(card.data() + 4, card.data() + card.size(), gpu);
    if (gpu >= host_.gpu_count() || !entry.is_object()) continue;
    smi_.gpus = {gpu};
    if (const auto it = entry.find("profile"); it != entry.end() && it->is_string())
      profile(it->get<std::string>());
    if (const auto it = entry.find("perflevel"); it != entry.end() && it->is_string())
      performance_level(it->get<std::string>());
    smi_.log(gpu, "Successfully loaded values from " + safe_word(path));
  }
  smi_.spacer();
}

void Setter::save(const std::string& path) {
  smi_.spacer(" Save Settings ");
  if (host_.file(path) != nullptr) {
    smi_.line(fmt::format("Something already exists at {}", safe_word(path)));
    smi_.spacer();
    smi_.stop = 0;
    return;
  }
  Json settings = Json::object();
  for (std::size_t gpu : smi_.gpus) {
    Json clocks = Json::object();
    for (const char* name : {"fclk", "mclk", "pcie", "sclk", "socclk"})
      if (const auto found = clock(host_, gpu, name)) clocks[name] = {std::to_string(found->current)};
    settings["card" + std::to_string(gpu)] = {{"vJson", 1},
                                              {"clocks", clocks},
                                              {"fan", nullptr},
                                              {"overdrivesclk", fill(host_, gpu, "{overdrive.sclk}")},
                                              {"overdrivemclk", fill(host_, gpu, "{overdrive.mclk}")},
                                              {"profile", fill(host_, gpu, "{profile}")},
                                              {"perflevel", fill(host_, gpu, "{perf_level}")}};
  }
  host_.write(path, python_json(settings, 4));
  smi_.line("Current settings successfully saved to " + safe_word(path));
  smi_.spacer();
}

void Setter::run() {
  const auto each = [&](const char* option, const char* title, const char* line, const char* key) {
    if (!smi_.parsed.has(option) || smi_.stop) return;
    smi_.spacer(title);
    for (std::size_t gpu : smi_.gpus) {
      if (key != nullptr) restore(gpu, key);
      smi_.log(gpu, line);
    }
    smi_.spacer();
  };
  if (reset_gpu()) return;
  if (smi_.parsed.has("-r")) reset_clocks();
  levels();
  points();
  each("--resetfans", " Reset GPU Fan Speed ", "Not supported on the given system", nullptr);
  each("--setfan", " Set GPU Fan Speed ", "Not supported on the given system", nullptr);
  const auto when = [&](const char* option) { return smi_.parsed.has(option) && !smi_.stop; };
  if (when("--setperflevel")) performance_level(value("--setperflevel"));
  if (when("--setoverdrive")) overdrive("--setoverdrive", "sclk");
  if (when("--setmemoverdrive")) overdrive("--setmemoverdrive", "mclk");
  if (when("--setpoweroverdrive")) power(value("--setpoweroverdrive"));
  if (when("--resetpoweroverdrive")) power("0");
  if (when("--setprofile")) profile(value("--setprofile"));
  if (!smi_.stop) ranges();
  if (!smi_.stop) determinism();
  if (when("--setcomputepartition")) compute_partition(value("--setcomputepartition"));
  if (when("--setmemorypartition")) memory_partition(value("--setmemorypartition"));
  if (when("--resetprofile")) reset_profile();
  each("--resetxgmierr", "Reset XGMI Error Status ", "Successfully reset XGMI Error count", "xgmi_error");
  if (smi_.parsed.has("--resetperfdeterminism"))
    for (std::size_t gpu : smi_.gpus) restore(gpu, "sclk.max");
  each("--resetperfdeterminism", "Disable Performance Determinism",
       "Successfully disabled performance determinism", "perf_level");
  if (!smi_.stop) ras();
  if (when("--load")) load(value("--load"));
  if (when("--save")) save(value("--save"));
}

bool is_set(const Parsed& parsed) {
  return std::any_of(std::begin(kSets), std::end(kSets),
                     [&](std::string_view name) { return parsed.has(name); });
}

void set(RocmSmi& smi) { Setter(smi).run(); }

}  // namespace micius::emu::amd
