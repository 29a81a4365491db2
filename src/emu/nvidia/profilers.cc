// nsys, ncu and compute-sanitizer: they run the program and write or print what they saw of it.
#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/text.h"
#include "emu/cuda/nvcc.h"
#include "emu/nvidia/tools.h"
#include "emu/regex.h"

namespace micius::emu {
namespace {

// The options but for those that name outputs, one a line: what the report was made with.
std::string canonical(const Parsed& parsed, std::initializer_list<std::string_view> left_out) {
  std::vector<std::string> lines;
  for (const Given& given : parsed.options)
    if (std::find(left_out.begin(), left_out.end(), given.option->name) == left_out.end())
      lines.push_back(given.option->name + (given.values.empty() ? "" : "=" + given.values.front()));
  std::sort(lines.begin(), lines.end());
  return shorten(to_valid_utf8(join(lines, "\n")), 4'000);
}

int unknown(Host& host, const char* program, const Parsed& parsed, int exit) {
  host.print_error("{}: unrecognised option '{}'\nuse --help for the list of options\n", program,
                   shorten(to_valid_utf8(parsed.culprit), 200));
  return exit;
}

int help(Host& host, const Parsed& parsed) {
  host.print("usage: {}\n\n", parsed.command->synopsis);
  for (const OptionSpec& option : parsed.command->options)
    host.print("  {:<36} {}\n", join(option.flags, ", "), option.help);
  for (const CommandSpec& child : parsed.command->subcommands) host.print("  {}\n", child.synopsis);
  return 0;
}

std::string with_suffix(const std::string& name, std::string_view suffix) {
  return name.size() > suffix.size() && name.substr(name.size() - suffix.size()) == suffix
             ? name
             : name + std::string(suffix);
}

constexpr const char* kKernels[] = {"gemm_kernel", "vector_add", "reduce_kernel"};

int nsys_profile(Host& host, const Parsed& parsed) {
  if (parsed.words.empty()) {
    host.error("An application to profile is required.\n");
    return 1;
  }
  for (const Given& given : parsed.options) {
    const auto& known = given.option->values;
    if (!known.empty() && given.option->name != "--capture-range-end" &&
        std::find(known.begin(), known.end(), given.values.front()) == known.end()) {
      host.print_error("Illegal --{} argument '{}'.\n", given.option->flags.back().substr(2),
                       shorten(to_valid_utf8(given.values.front()), 60));
      return 1;
    }
  }
  const int exit = host.run(parsed.words, {});
  const std::string output = with_suffix(parsed.value_or("-o", "report1"), ".nsys-rep");
  const std::string body = fmt::format("nsys-rep\n{}\ncommand={}\n", canonical(parsed, {"-o"}),
                                       shorten(to_valid_utf8(join(parsed.words, " ")), 2'000));
  if (host.file(output) != nullptr && !parsed.has("-f")) {
    host.print_error("FATAL ERROR: {} already exists. Use --force-overwrite=true to replace it.\n", output);
    return 1;
  }
  host.print("Collecting data...\nGenerating '/tmp/nsys-report.qdstrm'\nGenerated:\n    {}\n",
             host.path(output));
  host.write(output, body);
  if (parsed.value("--stats") == "true")
    host.write(with_suffix(output.substr(0, output.rfind(".nsys-rep")), ".sqlite"), "sqlite of\n" + body);
  return exit;
}

int nsys_stats(Host& host, const Parsed& parsed) {
  if (parsed.words.empty()) {
    host.error("No input file specified.\n");
    return 1;
  }
  const std::string* file = host.file(parsed.words[0]);
  if (file == nullptr) {
    host.print_error("ERROR: {}: file does not exist.\n", shorten(to_valid_utf8(parsed.words[0]), 200));
    return 1;
  }
  const std::string names = parsed.value_or(
      "-r", "nvtx_sum,osrt_sum,cuda_api_sum,cuda_gpu_kern_sum,cuda_gpu_mem_time_sum,cuda_gpu_mem_size_sum");
  const std::string form = parsed.value_or("-f", "column");
  std::string text;
  for (std::string_view name : split(names, ',')) {
    const auto seed = static_cast<std::int64_t>(sha256_hex(std::string(name) + *file)[0]);
    if (form == "csv")
      text += fmt::format("\nTime (%),Total Time (ns),Num Calls,Avg (ns),Name\n");
    else
      text += fmt::format(
          "\n ** {} ({}):\n\n Time (%)  Total Time (ns)  Num Calls  Avg (ns)  Name\n --------  "
          "---------------  ---------  --------  ----------\n",
          name, name);
    for (int i = 0; i < 3; ++i) {
      const std::int64_t total = 1'000'000 * (60 - 25 * i) + seed * 1'000, calls = 100 * (i + 1);
      const char* separator = form == "csv" ? "," : "  ";
      text += form == "csv"
                  ? fmt::format("{}.0,{},{},{}.0,{}\n", 60 - 25 * i, total, calls, total / calls, kKernels[i])
                  : fmt::format(" {:>8.1f}{}{:>15}{}{:>9}{}{:>8}.0  {}\n", 60.0 - 25 * i, separator, total,
                                separator, calls, separator, total / calls, kKernels[i]);
    }
  }
  const std::string head = parsed.has("-q") ? ""
                                            : fmt::format("Processing [{}] with the {} report(s)...\n",
                                                          parsed.words[0], split(names, ',').size());
  if (const auto output = parsed.value("-o"); output && *output != "-")
    host.write(*output + (form == "csv" ? ".csv" : ".txt"), text);
  else
    host.out(head + text);
  return 0;
}

int nsys_other(Host& host, const Parsed& parsed) {
  const std::string& name = parsed.command->name;
  if (name == "status") {
    host.out(
        "Timestamp counter supported: Yes\n\nCPU Profiling Environment Check\nRoot privilege: "
        "disabled\nLinux Kernel Paranoid Level = 2\nLinux Distribution = Ubuntu\n"
        "CPU Profiling Environment (process-tree): OK\nCPU Profiling Environment (system-wide): Fail\n");
    return 0;
  }
  if (name == "sessions") {
    host.out("  ID  TIME  STATE  LAUNCH  NAME\n");
    return 0;
  }
  if (name == "export" || name == "analyze") {
    const std::string path = parsed.words.empty() ? "" : parsed.words[0];
    const std::string* file = host.file(path);
    if (path.empty() || file == nullptr) {
      host.print_error("ERROR: {}: file does not exist.\n", shorten(to_valid_utf8(path), 200));
      return 1;
    }
    if (name == "analyze") {
      host.print("Processing [{}] with [{}]...\n\nThere were no problems detected.\n", path,
                 parsed.value_or("-r", "all rules"));
      return 0;
    }
    const std::string type = parsed.value_or("-t", "sqlite");
    host.write(parsed.value_or("-o", path.substr(0, path.rfind('.')) + "." + type), type + " of\n" + *file);
    return 0;
  }
  if (name == "launch" || name == "nvprof") return parsed.words.empty() ? 1 : host.run(parsed.words, {});
  host.print_error("There is no active session.\n");
  return 1;
}

}  // namespace

int run_nsys(Host& host, const Args& args) {
  const Parsed parsed = parse_options(host.tool("nsys"), Engine::kWrapper, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) return unknown(host, "nsys", parsed, 1);
  if (parsed.path.empty()) {
    if (!parsed.has("-v")) return help(host, parsed);
    host.print("NVIDIA Nsight Systems version {}\n", host.fact_or("packages.nsys", ""));
    return 0;
  }
  if (parsed.command->name == "profile") return nsys_profile(host, parsed);
  if (parsed.command->name == "stats") return nsys_stats(host, parsed);
  return nsys_other(host, parsed);
}

namespace {

std::vector<std::string> chosen_kernels(const Parsed& parsed) {
  std::vector<std::string> names;
  const std::string wanted = parsed.value_or("-k", "");
  for (const char* kernel : kKernels) {
    const bool regex = wanted.rfind("regex:", 0) == 0;
    const bool fits =
        wanted.empty() ||
        (regex ? matches_regex(".*(" + wanted.substr(6) + ").*", kernel).value_or(false) : wanted == kernel);
    if (fits) names.emplace_back(kernel);
  }
  const auto number = [&](const char* option, std::size_t fallback) {
    const std::string text = parsed.value_or(option, "");
    std::size_t value = fallback;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  names.erase(names.begin(),
              names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), number("-s", 0))));
  names.resize(std::min(names.size(), number("-c", names.size())));
  return names;
}

std::string kernel_report(const Parsed& parsed, const std::string& kernel) {
  const std::string set = parsed.value_or("--set", "basic");
  std::vector<std::string> sections{"GPU Speed Of Light Throughput", "Launch Statistics", "Occupancy"};
  if (set == "full" || set == "detailed")
    sections.insert(sections.end(), {"Memory Workload Analysis", "Compute Workload Analysis"});
  if (set == "full")
    sections.insert(sections.end(), {"Scheduler Statistics", "Warp State Statistics",
                                     "Instruction Statistics", "Source Counters"});
  if (const auto section = parsed.value("--section")) sections = {*section};
  std::string text =
      fmt::format("  {} (256, 1, 1)x(128, 1, 1), Context 1, Stream 7, Device 0, CC 9.0\n", kernel);
  if (const auto metrics = parsed.value("--metrics")) {
    for (std::string_view metric : split(*metrics, ','))
      text += fmt::format("    {:<60} {:>10}\n", shorten(to_valid_utf8(metric), 60),
                          static_cast<int>(sha256_hex(metric)[0]) * 11);
    return text;
  }
  for (const std::string& section : sections)
    text += fmt::format(
        "    Section: {}\n    ----------------------- ----------- ------------\n    Duration                 "
        "        us        {:>5}\n",
        shorten(to_valid_utf8(section), 60), static_cast<int>(sha256_hex(kernel + section)[0]));
  return text;
}

}  // namespace

int run_ncu(Host& host, const Args& args) {
  const Parsed parsed = parse_options(host.tool("ncu"), Engine::kWrapper, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) return unknown(host, "==ERROR==", parsed, 1);
  if (parsed.has("-v")) {
    host.print(
        "NVIDIA (R) Nsight Compute Command Line Profiler\nCopyright (c) 2018-2025 NVIDIA "
        "Corporation\nVersion {}\n",
        host.fact_or("packages.ncu", ""));
    return 0;
  }
  if (parsed.has("-h")) return help(host, parsed);
  for (const char* list : {"--list-sets", "--list-sections", "--list-rules", "--list-metrics", "--list-chips",
                           "--query-metrics"})
    if (parsed.has(list)) {
      for (const char* name : {"basic", "detailed", "full", "nvlink", "pmsampling", "roofline"})
        host.print("{:<12} {}\n", name, list + 2);
      return 0;
    }
  std::string text;
  for (const std::string& kernel : chosen_kernels(parsed)) text += kernel_report(parsed, kernel);
  if (const auto import = parsed.value("-i")) {
    if (host.file(*import) == nullptr) {
      host.print("==ERROR== Failed to open report file {}.\n", shorten(to_valid_utf8(*import), 200));
      return 1;
    }
    host.out(text);
    return 0;
  }
  if (parsed.words.empty()) {
    host.out("==ERROR== No target application specified.\n");
    return 1;
  }
  host.print("==PROF== Connected to process 27410 ({})\n", parsed.words[0]);
  const int exit = host.run(parsed.words, {});
  for (const std::string& kernel : chosen_kernels(parsed))
    host.print("==PROF== Profiling \"{}\" - 0: 0%....50%....100% - {} passes\n", kernel,
               parsed.value("--set") == "full" ? 38 : 9);
  host.out("==PROF== Disconnected from process 27410\n");
  if (const auto output = parsed.value("-o")) {
    const std::string name = with_suffix(*output, ".ncu-rep");
    host.write(name, fmt::format("ncu-rep\n{}\ncommand={}\n", canonical(parsed, {"-o"}),
                                 shorten(to_valid_utf8(join(parsed.words, " ")), 2'000)));
    host.print("==PROF== Report: {}\n", host.path(name));
  } else if (const auto log = parsed.value("--log-file"); log && *log != "stdout") {
    host.write(*log, text);
  } else {
    host.out(text);
  }
  return exit;
}

int run_compute_sanitizer(Host& host, const Args& args) {
  const Parsed parsed =
      parse_options(host.tool("compute-sanitizer"), Engine::kWrapper, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) return unknown(host, "========= Error:", parsed, 1);
  if (parsed.has("--version")) {
    host.print("NVIDIA (R) Compute Sanitizer\nVersion {}\n", host.fact_or("packages.sanitizer", ""));
    return 0;
  }
  if (parsed.has("--help")) return help(host, parsed);
  const std::string tool = parsed.value_or("--tool", "memcheck");
  if (tool != "memcheck" && tool != "racecheck" && tool != "initcheck" && tool != "synccheck") {
    host.print("========= Error: Unknown tool {}\n", shorten(to_valid_utf8(tool), 60));
    return 1;
  }
  if (parsed.words.empty()) {
    host.out("========= Error: No application specified\n");
    return 1;
  }
  std::string text = "========= COMPUTE-SANITIZER\n";
  if (parsed.value("--leak-check") == "full")
    text += "========= LEAK SUMMARY: 0 bytes leaked in 0 allocations\n";
  text += tool == "racecheck" ? "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)\n"
                              : "========= ERROR SUMMARY: 0 errors\n";
  const std::size_t from = host.output_size();
  const int exit = host.run(parsed.words, {});
  const std::string output = host.take_output(from);
  const std::string head = text.substr(0, text.find('\n') + 1), tail = text.substr(head.size());
  if (const auto log = parsed.value("--log-file")) {
    host.write(*log, text);
    host.out(output);
  } else {
    host.out(head + output + tail);
  }
  if (const auto save = parsed.value("--save"))
    host.write(*save, "sanitizer " + tool + "\n" + canonical(parsed, {"--save"}) + "\n");
  return exit;
}

}  // namespace micius::emu
