// rocm-smi: reads the words, walks over the sections in their fixed order, and prints JSON or CSV at the end.
#include "emu/amd/rocm_smi.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/amd/rocm_smi_internal.h"

namespace micius::emu {
namespace amd {

void RocmSmi::spacer(std::string_view title, char fill, std::size_t width) {
  if (collect) return;
  width += width % 2;
  const std::size_t rest = width - std::min(width, title.size());
  host.print("{}{}{}\n", std::string(rest / 2, fill), title, std::string(rest - rest / 2, fill));
}

void RocmSmi::log(std::size_t gpu, const std::string& name, const std::optional<std::string>& value) {
  if (!collect) {
    host.print("GPU[{}]\t\t: {}{}{}\n", gpu, name, value ? ": " : "", value.value_or(""));
    return;
  }
  const std::string line = value ? name + ": " + std::string(strip(*value)) : name;
  const std::size_t colon = line.find(": ");
  if (colon == std::string::npos) return;
  data["card" + std::to_string(gpu)][line.substr(0, colon)] = std::string(strip(line.substr(colon + 2)));
}

void RocmSmi::log_system(const std::string& name, const std::string& value) {
  if (collect)
    data["system"][name] = value;
  else
    host.print("{}: {}\n", name, value);
}

void RocmSmi::line(std::string_view text) {
  if (!collect) host.print("{}\n", text);
}

void RocmSmi::warn(std::string_view level, std::string_view text) {
  if (!collect) host.print_error("{}: {}\n", level, text);
}

namespace {

constexpr std::string_view kHeader = " ROCm System Management Interface ";
constexpr std::string_view kFooter = " End of ROCm SMI Log ";

// The fixed set of -a.
constexpr const char* kAll[] = {"--showdriverversion",
                                "-i",
                                "--showuniqueid",
                                "-v",
                                "-t",
                                "-c",
                                "-f",
                                "-p",
                                "-o",
                                "-m",
                                "-M",
                                "-l",
                                "-P",
                                "-s",
                                "-u",
                                "--showmemuse",
                                "--showmemvendor",
                                "--showreplaycount",
                                "--showserial",
                                "--showpids",
                                "--showpidgpus",
                                "-S",
                                "--showvoltage",
                                "--showbus",
                                "--showfwinfo",
                                "--showproductname",
                                "--showpagesinfo",
                                "--showsclkrange",
                                "--showmclkrange",
                                "--showvoltagerange",
                                "--showvc",
                                "--showenergycounter",
                                "--showcomputepartition",
                                "--showmemorypartition",
                                "--showmetrics"};

// Options without a list of values in the tool itself: what is no value of theirs is told by the section.
constexpr std::string_view kLenient[] = {"--showmeminfo",  "--showpids", "--showrasinfo",
                                         "--setperflevel", "--loglevel", "--autorespond"};

constexpr std::string_view kIntegers[] = {"-d", "--setsclk", "--setmclk", "--setpcie",
                                          "--setperfdeterminism"};

// Partition names are also taken in small letters.
Args prepared(const Args& args) {
  Args words(args.begin() + 1, args.end());
  for (std::size_t i = 1; i < words.size(); ++i)
    if (words[i - 1].rfind("--setcomputep", 0) == 0 || words[i - 1].rfind("--setmemoryp", 0) == 0)
      if (lower_ascii(words[i]) == words[i])
        std::transform(words[i].begin(), words[i].end(), words[i].begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return words;
}

// Parses; a value that only the table refuses is put by while the table looks, and given back.
Parsed parse(const ToolSpec& tool, Args& words) {
  std::vector<std::pair<std::string, std::string>> odd;  // option, value
  Parsed parsed = parse_options(tool, Engine::kArgparse, words);
  while (parsed.problem == Problem::kBadChoice && odd.size() < 16) {
    const std::string name = parsed.about->name;
    const auto word = std::find(words.begin(), words.end(), parsed.culprit);
    if (word == words.end() ||
        std::find(std::begin(kLenient), std::end(kLenient), name) == std::end(kLenient))
      return parsed;
    odd.emplace_back(name, parsed.culprit);
    *word = parsed.about->values.front();
    parsed = parse_options(tool, Engine::kArgparse, words);
  }
  for (const auto& [name, value] : odd)
    for (Given& given : parsed.options)
      if (given.option->name == name)
        if (const auto it = std::find(given.values.begin(), given.values.end(), given.option->values.front());
            it != given.values.end())
          *it = value;
  return parsed;
}

std::optional<int> check_integers(Host& host, const Parsed& parsed) {
  for (const Given& given : parsed.options)
    for (std::string_view name : kIntegers)
      if (given.option->name == name)
        for (const std::string& value : given.values)
          if (!is_integer(value))
            return usage_error(
                host, host.tool("rocm-smi"), *parsed.command,
                fmt::format("argument {}: invalid int value: '{}'", join(given.option->flags, "/"),
                            shorten(to_valid_utf8(value), 100)));
  if (parsed.has("--load") && parsed.has("--save"))
    return usage_error(host, host.tool("rocm-smi"), *parsed.command,
                       "argument --save: not allowed with argument --load");
  return std::nullopt;
}

int version(const RocmSmi& smi) {
  const std::string tool = smi.host.fact_or("packages.rocm_smi", "");
  const std::string library = smi.host.fact_or("packages.rocm_smi_lib", "");
  if (smi.parsed.has("--csv"))
    smi.host.print("name, value\nROCM-SMI version, {}\nROCM-SMI-LIB version, {}\n", tool, library);
  else if (smi.parsed.has("--json"))
    smi.host.print("{{\n  \"ROCM-SMI version\": \"{}\",\n  \"ROCM-SMI-LIB version\": \"{}\"\n}}\n", tool,
                   library);
  else
    smi.host.print("ROCM-SMI version: {}\nROCM-SMI-LIB version: {}\n", tool, library);
  return 0;
}

// The devices of -d; absent if one is not there.
std::optional<std::vector<std::size_t>> chosen(Host& host, const Parsed& parsed) {
  std::vector<std::size_t> gpus;
  const Given* given = parsed.find("-d");
  if (given == nullptr) {
    for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu) gpus.push_back(gpu);
    return gpus;
  }
  for (const std::string& word : given->values) {
    std::size_t gpu = host.gpu_count();
    std::from_chars(word.data(), word.data() + word.size(), gpu);
    if (gpu >= host.gpu_count()) {
      host.print_error("WARNING: No such device card{}\n", word);
      return std::nullopt;
    }
    if (std::find(gpus.begin(), gpus.end(), gpu) == gpus.end()) gpus.push_back(gpu);
  }
  return gpus;
}

enum class Part { kCards, kSystem };

std::string csv_of(const Json& data, Part part) {
  const bool system = part == Part::kSystem;
  std::vector<std::string> columns;
  for (const auto& [card, values] : data.items())
    if ((card == "system") == system)
      for (const auto& [name, value] : values.items())
        if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
  if (columns.empty()) return "";
  std::string text = "device," + join(columns, ",") + "\n";
  for (const auto& [card, values] : data.items()) {
    if ((card == "system") != system) continue;
    text += system ? "cardsystem" : card;
    for (const std::string& name : columns)
      text += "," + (values.contains(name) ? replace_all(values[name].get<std::string>(), ",", "") : "N/A");
    text += "\n";
  }
  return text;
}

void print_data(RocmSmi& smi) {
  for (std::size_t gpu : smi.gpus)
    if (smi.data["card" + std::to_string(gpu)].empty()) smi.data.erase("card" + std::to_string(gpu));
  if (smi.data.empty()) {
    smi.host.error("WARNING: No JSON data to report\n");
    return;
  }
  if (!smi.parsed.has("--csv")) {
    smi.host.print("{}\n", python_json(smi.data, 0));
  } else if (smi.parsed.has("-a")) {
    smi.host.print("{}\n{}\n", csv_of(smi.data, Part::kSystem), csv_of(smi.data, Part::kCards));
  } else {
    smi.host.print("{}\n",
                   csv_of(smi.data, smi.parsed.has("--showdriverversion") ? Part::kSystem : Part::kCards));
  }
}

bool concise_wanted(const Parsed& parsed) {
  constexpr std::string_view kModifiers[] = {"-d", "--json", "--csv", "--loglevel", "--autorespond"};
  return std::all_of(parsed.options.begin(), parsed.options.end(), [&](const Given& given) {
    return std::find(std::begin(kModifiers), std::end(kModifiers), given.option->name) !=
           std::end(kModifiers);
  });
}

void show_all(RocmSmi& smi) {
  const bool everything = smi.parsed.has("-a");
  for (const Section& section : show_sections()) {
    const Given* given = smi.parsed.find(section.option);
    Given implied{nullptr, {}};
    if (given == nullptr) {
      if (!everything || std::find_if(std::begin(kAll), std::end(kAll), [&](const char* name) {
                           return std::string_view(name) == section.option;
                         }) == std::end(kAll))
        continue;
      given = &implied;
    }
    if (section.show == nullptr)
      show_layout(smi, section.option);
    else
      section.show(smi, *given);
    if (smi.stop) return;
  }
}

int report(RocmSmi& smi) {
  const bool framed = !concise_wanted(smi.parsed) && !smi.parsed.has("--showhw");
  if (smi.collect)
    for (std::size_t gpu : smi.gpus) smi.data["card" + std::to_string(gpu)] = Json::object();
  else
    smi.host.out("\n\n");
  if (framed) smi.spacer(kHeader);
  if (concise_wanted(smi.parsed))
    concise(smi);
  else if (!smi.parsed.has("--gpureset"))
    show_all(smi);
  if (!smi.stop) set(smi);
  if (smi.stop) return *smi.stop;
  if (smi.collect) print_data(smi);
  if (framed) smi.spacer(kFooter);
  return 0;
}

}  // namespace
}  // namespace amd

int run_rocm_smi(Host& host, const Args& args) {
  const ToolSpec& tool = host.tool("rocm-smi");
  Args words = amd::prepared(args);
  const Parsed parsed = amd::parse(tool, words);
  if (parsed.problem != Problem::kNone) return amd::usage_error(host, tool, parsed);
  if (parsed.has("-h")) {
    amd::print_help(host, tool, tool.root);
    return 0;
  }
  if (!parsed.words.empty())
    return amd::usage_error(host, tool, tool.root,
                            "unrecognized arguments: " + shorten(to_valid_utf8(parsed.words[0]), 200));
  if (const auto exit = amd::check_integers(host, parsed)) return *exit;
  amd::RocmSmi smi{host, parsed, {}, parsed.has("--json") || parsed.has("--csv"), Json::object()};
  if (parsed.has("-V")) return amd::version(smi);
  // The tool starts itself again under sudo, which has no terminal to ask for a password on.
  if (amd::is_set(parsed) && !host.root()) {
    host.error(
        "sudo: a terminal is required to read the password; either use the -S option to read from standard "
        "input or configure an askpass helper\nsudo: a password is required\n");
    return 1;
  }
  const auto gpus = amd::chosen(host, parsed);
  if (!gpus) return 1;
  smi.gpus = *gpus;
  return amd::report(smi);
}

}  // namespace micius::emu
