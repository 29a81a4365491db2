// amd-smi: reads the words, chooses the devices, and prints or repeats a report.
#include "emu/amd/amd_smi.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/text.h"
#include "emu/amd/amd_smi_internal.h"

namespace micius::emu {
namespace amd {

int complain(Host& host, Format format, int code, std::string_view what, const std::string& word) {
  const std::string name = shorten(to_valid_utf8(word), 200);
  const std::string text = fmt::format(fmt::runtime(what), name);
  if (format == Format::kJson)
    host.print("{}\n", python_json(Json{{"error", text}, {"code", code}}, 0));
  else if (format == Format::kCsv)
    host.print("error,code\n{},{}\n", text, code);
  else
    host.print("{} Error code: {}\n", text, code);
  return 0;
}

namespace {

constexpr std::string_view kBadCommand = "Command '{}' is invalid. Run '--help' for more info.";
constexpr std::string_view kBadOption = "Parameter '{}' is invalid. Run 'amd-smi --help' for more info.";
constexpr std::string_view kNoDevice = "Can not find a device: GPU '{}'";
constexpr std::string_view kBadValue =
    "Value '{}' is not of valid type or format. Run 'amd-smi --help' for more info.";
constexpr std::string_view kNoValue = "Parameter '{}' requires a value. Run 'amd-smi --help' for more info.";
constexpr std::string_view kNotHere =
    "Command '{}' is not supported on the system. Run '--help' for more info.";
constexpr std::string_view kNoTarget = "Command '{}' requires a target argument. Run '--help' for more info.";

// Commands in any case, the two aliases, and values of choice in any case.
Parsed parse(const ToolSpec& tool, Args& words) {
  if (!words.empty()) {
    words[0] = words[0].rfind("-", 0) == 0 ? words[0] : lower_ascii(words[0]);
    if (words[0] == "ucode") words[0] = "firmware";
    if (words[0] == "dmon") words[0] = "monitor";
  }
  Parsed parsed = parse_options(tool, Engine::kArgparse, words);
  for (int tries = 0; tries < 16 && parsed.problem == Problem::kBadChoice; ++tries) {
    std::string better = parsed.culprit;
    for (const std::string& value : parsed.about->values)
      if (lower_ascii(value) == lower_ascii(better)) better = value;
    const auto word = std::find_if(words.begin(), words.end(), [&](const std::string& other) {
      return other == parsed.culprit ||
             (other.size() > parsed.culprit.size() &&
              other.substr(other.size() - parsed.culprit.size() - 1) == "=" + parsed.culprit);
    });
    if (better == parsed.culprit || word == words.end()) break;
    word->replace(word->size() - better.size(), better.size(), better);
    parsed = parse_options(tool, Engine::kArgparse, words);
  }
  return parsed;
}

int refuse(Host& host, Format format, const Parsed& parsed) {
  switch (parsed.problem) {
    case Problem::kUnknownCommand:
      return complain(host, format, -1, kBadCommand, parsed.culprit);
    case Problem::kMissingValue:
      return complain(host, format, -6, kNoValue, parsed.culprit);
    case Problem::kBadChoice:
      return complain(host, format, -5, kBadValue, parsed.culprit);
    default:
      return complain(host, format, -2, kBadOption, parsed.culprit);
  }
}

std::optional<std::size_t> find_gpu(const Host& host, const std::string& word) {
  if (is_integer(word)) {
    std::size_t gpu = host.gpu_count();
    std::from_chars(word.data(), word.data() + word.size(), gpu);
    return gpu < host.gpu_count() ? std::optional(gpu) : std::nullopt;
  }
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu)
    if (lower_ascii(word) == field(host, gpu, "bdf") || lower_ascii(word) == field(host, gpu, "uuid"))
      return gpu;
  return std::nullopt;
}

// The devices of -g; the word that is none, if there is one.
std::optional<std::string> choose(AmdSmi& smi) {
  const Given* given = smi.parsed.find("-g");
  const auto has_all = [](const std::vector<std::string>& words) {
    return std::find(words.begin(), words.end(), "all") != words.end();
  };
  if (given == nullptr || has_all(given->values)) {
    for (std::size_t gpu = 0; gpu < smi.host.gpu_count(); ++gpu) smi.gpus.push_back(gpu);
    return std::nullopt;
  }
  for (const std::string& word : given->values) {
    const auto gpu = find_gpu(smi.host, word);
    if (!gpu) return word;
    if (std::find(smi.gpus.begin(), smi.gpus.end(), *gpu) == smi.gpus.end()) smi.gpus.push_back(*gpu);
  }
  return std::nullopt;
}

int version(const AmdSmi& smi) {
  const std::string tool = smi.host.fact_or("packages.amdsmi_tool", ""),
                    library = smi.host.fact_or("packages.amdsmi_lib", ""),
                    rocm = smi.host.fact_or("rocm", "");
  if (smi.format == Format::kText)
    smi.host.print("AMDSMI Tool: {} | AMDSMI Library version: {} | ROCm version: {}\n", tool, library, rocm);
  else
    print_reports(smi, {Json{{"tool", "AMDSMI Tool"},
                             {"version", tool},
                             {"amdsmi_library_version", library},
                             {"rocm_version", rocm}}});
  return 0;
}

std::vector<Json> gpu_reports(const AmdSmi& smi, std::string_view layout) {
  std::vector<Json> reports;
  for (std::size_t gpu : smi.gpus) reports.push_back(report_of(smi, layout, gpu));
  return reports;
}

// Reports of -U or -O: sockets and cores of the CPUs.
std::optional<std::vector<Json>> cpu_reports(const AmdSmi& smi, const char* option, const char* device,
                                             std::string_view layout) {
  const Given* given = smi.parsed.find(option);
  if (given == nullptr) return std::nullopt;
  std::int64_t count = 0;
  const std::string sockets = smi.host.fact_or("cpu.sockets", "1"),
                    cores = smi.host.fact_or("cpu.cores_per_socket", "1");
  std::from_chars(sockets.data(), sockets.data() + sockets.size(), count);
  if (std::string_view(option) == "-O") {
    std::int64_t each = 1;
    std::from_chars(cores.data(), cores.data() + cores.size(), each);
    count *= each;
  }
  std::vector<Json> reports;
  for (std::int64_t index = 0; index < count; ++index)
    if (std::find(given->values.begin(), given->values.end(), "all") != given->values.end() ||
        std::find(given->values.begin(), given->values.end(), std::to_string(index)) != given->values.end())
      reports.push_back(report_of(smi, layout, static_cast<std::size_t>(index), device));
  return reports;
}

// -w, -W and -i: repeats. Absent: words that are no numbers; they are complained about.
struct Watch {
  bool on = false;
  std::int64_t rounds = 1, period_ns = 0;
  bool endless = false;
};

std::optional<Watch> watch_of(const AmdSmi& smi) {
  Watch watch;
  const auto number = [&](const char* option) -> std::int64_t {
    const auto text = smi.parsed.value(option);
    std::int64_t value = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
  };
  for (const char* option : {"-w", "-W", "-i"})
    if (smi.parsed.has(option) && (!is_integer(smi.parsed.value_or(option, "")) || number(option) <= 0))
      return std::nullopt;
  if (!smi.parsed.has("-w")) return watch;
  watch.on = true;
  watch.period_ns = std::min<std::int64_t>(number("-w"), 86'400) * 1'000'000'000;
  watch.endless = !smi.parsed.has("-i") && !smi.parsed.has("-W");
  watch.rounds = watch.endless ? 3 : 1'000;
  if (smi.parsed.has("-i")) watch.rounds = std::min(watch.rounds, number("-i"));
  if (smi.parsed.has("-W"))
    watch.rounds = std::min(watch.rounds, std::max<std::int64_t>(1, number("-W") / number("-w")));
  return watch;
}

Json with_time(const AmdSmi& smi, const Json& report) {
  Json timed = Json::object();
  timed["timestamp"] = smi.host.now_ns() / 1'000'000'000;
  for (const auto& [name, value] : report.items()) timed[name] = value;
  return timed;
}

// Prints `reports()`, or the monitor's table, as often as the watch says.
int repeat(const AmdSmi& smi, const std::function<std::vector<Json>()>& reports) {
  const auto watch = watch_of(smi);
  if (!watch)
    return complain(smi.host, smi.format, -5, kBadValue,
                    smi.parsed.value_or("-w", smi.parsed.value_or("-i", "")));
  for (std::int64_t round = 0; round < watch->rounds; ++round) {
    if (round > 0) smi.host.advance(watch->period_ns);
    const Header header = round == 0 ? Header::kPrinted : Header::kLeftOut;
    if (smi.parsed.command->name == "monitor") {
      monitor(smi, watch->on ? Stamp::kTime : Stamp::kNone, header);
      continue;
    }
    std::vector<Json> now = reports();
    if (watch->on)
      for (Json& report : now) report = with_time(smi, report);
    print_reports(smi, now, header);
  }
  if (watch->endless) smi.host.unbounded();
  return 0;
}

int metric(const AmdSmi& smi) {
  if (const auto reports = cpu_reports(smi, "-U", "cpu", "amd-smi-cpu-metric"))
    return print_reports(smi, *reports), 0;
  if (const auto reports = cpu_reports(smi, "-O", "core", "amd-smi-core-metric"))
    return print_reports(smi, *reports), 0;
  return repeat(smi, [&] { return gpu_reports(smi, "amd-smi-metric"); });
}

int static_report(const AmdSmi& smi) {
  if (const auto reports = cpu_reports(smi, "-U", "cpu", "amd-smi-cpu-static"))
    return print_reports(smi, *reports), 0;
  print_reports(smi, gpu_reports(smi, "amd-smi-static"));
  return 0;
}

int event(const AmdSmi& smi) {
  smi.host.out("EVENT LISTENING:\n\nPress q and hit ENTER when you want to stop\n");
  smi.host.unbounded();
  return 0;
}

int ras(const AmdSmi& smi) {
  if (smi.parsed.has("--follow")) smi.host.unbounded();
  if (smi.parsed.has("--cper") && !smi.parsed.has("--folder"))
    smi.host.out(
        "WARNING:No CPER files will be dumped unless --folder=<folder_name> is specified and cper entries "
        "exist.\n");
  smi.host.out("timestamp            gpu_id  severity\n");
  return 0;
}

int dispatch(const AmdSmi& smi) {
  const std::string& name = smi.parsed.command->name;
  if (name == "version") return version(smi);
  if (name == "list") return print_reports(smi, gpu_reports(smi, "amd-smi-list")), 0;
  if (name == "static") return static_report(smi);
  if (name == "firmware") return print_reports(smi, firmware_reports(smi)), 0;
  if (name == "bad-pages") return print_reports(smi, gpu_reports(smi, "amd-smi-bad-pages")), 0;
  if (name == "metric") return metric(smi);
  if (name == "monitor") return repeat(smi, {});
  if (name == "process") return repeat(smi, [&] { return process_reports(smi); });
  if (name == "event") return event(smi);
  if (name == "topology") return topology(smi);
  if (name == "xgmi") return xgmi(smi);
  if (name == "partition") return partition(smi);
  if (name == "ras") return ras(smi);
  if (name == "profile") return complain(smi.host, smi.format, -7, kNotHere, name);
  const bool target = smi.parsed.has("-g") || smi.parsed.has("-U") || smi.parsed.has("-O");
  if (!target) return complain(smi.host, smi.format, -9, kNoTarget, name);
  if (!smi.host.root()) {
    smi.host.error("PermissionError: Command requires elevation\n");
    return 1;
  }
  return name == "set" ? set_values(smi) : reset_values(smi);
}

int run_parsed(Host& host, const Parsed& parsed, Format format) {
  const ToolSpec& tool = host.tool("amd-smi");
  if (parsed.has("-h") || parsed.path.empty()) {
    print_help(host, tool, *parsed.command);
    return 0;
  }
  if (!parsed.words.empty()) return complain(host, format, -2, kBadOption, parsed.words.front());
  AmdSmi smi{host, parsed, {}, format};
  for (const Given& given : parsed.options) smi.given.insert(given.option->name);
  if (const auto missing = choose(smi)) return complain(host, format, -3, kNoDevice, *missing);
  const auto file = parsed.value("--file");
  const std::size_t from = host.output_size();
  const int exit = dispatch(smi);
  if (file && exit == 0) host.write(*file, host.take_output(from));
  return exit;
}

}  // namespace
}  // namespace amd

int run_amd_smi(Host& host, const Args& args) {
  const ToolSpec& tool = host.tool("amd-smi");
  Args words(args.begin() + 1, args.end());
  const auto given = [&](const char* flag) {
    return std::find(words.begin(), words.end(), flag) != words.end();
  };
  const amd::Format format = given("--json")  ? amd::Format::kJson
                             : given("--csv") ? amd::Format::kCsv
                                              : amd::Format::kText;
  const Parsed parsed = amd::parse(tool, words);
  if (!words.empty() && words[0] != "-h" && words[0] != "--help" && tool.root.subcommand(words[0]) == nullptr)
    return amd::complain(host, format, -1, amd::kBadCommand, words[0]);
  if (parsed.problem != Problem::kNone) return amd::refuse(host, format, parsed);
  return amd::run_parsed(host, parsed, format);
}

}  // namespace micius::emu
