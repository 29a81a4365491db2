// nvidia-smi: reads the words and hands over to its parts.
#include "emu/nvidia/smi.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/nvidia/smi_internal.h"

namespace micius::emu {
namespace smi {

int invalid(Host& host) {
  host.out("Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n\n");
  return kInvalid;
}

int not_found(Host& host) {
  host.out("No devices were found\n");
  return kNotFound;
}

int list(const Command& command) {
  for (std::size_t gpu : command.gpus) {
    command.host.print("GPU {}: {} (UUID: {})\n", gpu, gpu_name(command.host), gpu_uuid(command.host, gpu));
    int number = 0;
    for (const MigDevice& device : mig_devices(command.host, gpu))
      command.host.print("  MIG {:<12}Device {:>2}: (UUID: {})\n", device.name, number++, device.uuid);
  }
  return kOk;
}

namespace {

int version(Host& host) {
  host.print(
      "NVIDIA-SMI version  : {0}\nNVML version        : {1}\nDRIVER version      : {0}\nCUDA Version        "
      ": {2}\n",
      host.fact_or("driver", ""), host.fact_or("nvml", ""), host.fact_or("cuda", ""));
  return kOk;
}

int run_once(const Command& command) {
  const Parsed& parsed = command.parsed;
  if (is_set(parsed)) return set(command);
  if (is_query(parsed)) return query(command);
  if (parsed.has("-q") || parsed.has("-x")) return report(command);
  if (parsed.has("-L")) return list(command);
  if (parsed.has("-B")) {
    command.host.out("No excluded devices found.\n");
    return kOk;
  }
  return table(command);
}

// The period of -l and -lms; -l alone is five seconds. Absent: no loop; nullopt inside: not a period.
struct Loop {
  bool on = false, valid = true;
  std::int64_t period_ns = 0;
};

Loop loop_of(const Parsed& parsed) {
  Loop loop;
  for (const auto& [option, unit_ns] :
       {std::pair<const char*, std::int64_t>{"-l", 1'000'000'000}, {"-lms", 1'000'000}}) {
    const Given* given = parsed.find(option);
    if (given == nullptr) continue;
    loop.on = true;
    std::int64_t count = 5;
    if (!given->values.empty()) {
      const std::string& text = given->values.front();
      const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), count);
      loop.valid =
          code == std::errc() && end == text.data() + text.size() && count > 0 && count <= 86'400'000;
    }
    loop.period_ns = loop.valid ? count * unit_ns : 0;
  }
  return loop;
}

// The devices that `docker run --gpus device=...` gave; absent for all, and outside a container.
std::optional<std::string> container_gpus(Host& host) {
  if (!host.env("container")) return std::nullopt;
  const auto list = host.env("NVIDIA_VISIBLE_DEVICES");
  return list == "all" ? std::nullopt : list;
}

int run_main(Host& host, const Parsed& parsed) {
  if (parsed.has("-h")) return help(host, *parsed.command);
  if (parsed.has("--version")) return version(host);
  for (const Given& given : parsed.options)
    if (given.option->name.rfind("--help-query-", 0) == 0) return help_query(host, given.option->name);
  if (!parsed.words.empty()) return invalid(host);
  if (parsed.has("-u")) {
    host.out("No unit data available.\n");
    return kNotFound;
  }
  const auto gpus = select_gpus(host, parsed.has("-i") ? parsed.value("-i") : container_gpus(host));
  if (!gpus) return not_found(host);
  const Loop loop = loop_of(parsed);
  if (!loop.valid) return invalid(host);
  const Command command{host, parsed, *gpus};
  const std::size_t from = host.output_size();
  int exit = run_once(command);
  if (loop.on && exit == kOk) {
    for (int round = 1; round < 3 && exit == kOk; ++round) {
      host.advance(loop.period_ns);
      exit = run_once({host, parsed, *gpus, true});
    }
    host.unbounded();
  }
  if (const auto file = parsed.value("-f"); file && exit == kOk) host.write(*file, host.take_output(from));
  return exit;
}

int run_subcommand(Host& host, const Parsed& parsed) {
  if (parsed.has("-h")) return help(host, *parsed.command);
  if (!parsed.words.empty()) return invalid(host);
  const auto gpus = select_gpus(host, parsed.value("-i"));
  if (!gpus) return not_found(host);
  const Command command{host, parsed, *gpus};
  const std::string& name = parsed.command->name;
  if (name == "dmon") return dmon(command);
  if (name == "pmon") return pmon(command);
  if (name == "topo") return topo(command);
  if (name == "nvlink") return nvlink(command);
  if (name == "mig") return mig(command);
  return other(command);
}

}  // namespace
}  // namespace smi

// The table gives -l a value; the tool takes it without one as five seconds.
int run_nvidia_smi(Host& host, const Args& args) {
  const ToolSpec& tool = host.tool("nvidia-smi");
  Args words(args.begin() + 1, args.end());
  for (std::size_t i = 0; i < words.size(); ++i)
    if ((words[i] == "-l" || words[i] == "--loop") &&
        (i + 1 == words.size() || words[i + 1].rfind("-", 0) == 0))
      words[i] = "--loop=5";
  const Parsed parsed = parse_options(tool, Engine::kNvidia, words);
  if (parsed.problem != Problem::kNone) return smi::invalid(host);
  return parsed.path.empty() ? smi::run_main(host, parsed) : smi::run_subcommand(host, parsed);
}

}  // namespace micius::emu
