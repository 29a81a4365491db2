// rocprof and rocprofv3: run the program and leave its traces in files.
#include <algorithm>

#include "base/text.h"
#include "emu/amd/rocm_tools.h"
#include "emu/amd/values.h"
#include "emu/cuda/nvcc.h"

namespace micius::emu {
namespace {

constexpr int kPid = 20'417;

// The kernels of a compiled program, by the names in its source; one name for any other.
std::vector<std::string> kernels_of(Host& host, const Args& command) {
  const std::string* file = command.empty() ? nullptr : host.file(command[0]);
  if (file == nullptr || file->rfind(kAppLine, 0) != 0) return {"kernel"};
  const std::size_t source = file->find("source: ");
  if (source == std::string::npos) return {"kernel"};
  const std::string name = file->substr(source + 8, file->find(' ', source + 8) - source - 8);
  return {name.substr(0, name.find('.')) + "_kernel"};
}

std::string kernel_stats(const std::vector<std::string>& kernels, std::string_view head) {
  std::string text(head);
  for (std::size_t i = 0; i < kernels.size(); ++i)
    text += fmt::format("\"{}\",10,412800,41280,100\n", kernels[i]);
  return text;
}

// The counters that an input file asks for: its "pmc:" lines.
std::vector<std::string> counters_of(const std::string& text) {
  std::vector<std::string> names;
  for (std::string_view line : split(text, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || strip(line.substr(0, colon)) != "pmc") continue;
    for (std::string_view word : split_words(line.substr(colon + 1)))
      if (names.size() < 256) names.emplace_back(word);
  }
  return names;
}

std::string base_name(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

struct Rocprof {
  Host& host;
  const Parsed& parsed;

  void list_basic() const {
    host.print("Basic HW counters:\n");
    static constexpr std::pair<const char*, const char*> kBasic[] = {
        {"GRBM_COUNT", "Tie High - Count Number of Clocks"},
        {"GRBM_GUI_ACTIVE", "The GUI is Active"},
        {"SQ_WAVES", "Count number of waves sent to SQs. (per-simd, emulated, global)"},
        {"TCC_HIT[0-15]", "Number of cache hits."},
        {"TCC_MISS[0-15]", "Number of cache misses. UC reads count as misses."}};
    for (const auto& [name, text] : kBasic)
      host.print("  gpu-agent0 : {} : {}\n      block {} has 2 counters\n", name, text,
                 std::string(name).substr(0, std::string(name).find('_')));
  }

  void list_derived() const {
    host.print("Derived metrics:\n");
    static constexpr std::pair<const char*, const char*> kDerived[] = {
        {"TCC_HIT_sum", "Number of cache hits. Sum over TCC instances."},
        {"TCC_MISS_sum", "Number of cache misses. Sum over TCC instances."},
        {"TCC_MC_RDREQ_sum", "Number of 32-byte reads. Sum over TCC instances."}};
    for (const auto& [name, text] : kDerived)
      host.print("  gpu-agent0 : {0} : {1}\n      {0} = sum({2},16)\n", name, text,
                 replace_all(name, "_sum", ""));
  }

  void files(const std::vector<std::string>& kernels, const std::vector<std::string>& counters) const {
    const auto input = parsed.value("-i");
    const std::string output = parsed.value_or("-o", input ? base_name(*input) + ".csv" : "results.csv");
    const bool times = parsed.value("--timestamp") == "on" || parsed.has("--stats");
    std::string text = "\"Index\",\"KernelName\",\"gpu-id\",\"queue-id\",\"pid\",\"tid\",\"grd\",\"wgr\"";
    for (const std::string& name : counters) text += ",\"" + name + "\"";
    if (times) text += ",\"DispatchNs\",\"BeginNs\",\"EndNs\",\"CompleteNs\"";
    text += "\n";
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      text += fmt::format("{},\"{}{}\",2,0,{},{},1048576,256", i, kernels[i],
                          parsed.value("--basenames") == "on" ? "" : "(float, float const*, float*, int)",
                          kPid, kPid);
      for (std::size_t c = 0; c < counters.size(); ++c) text += fmt::format(",{}", 4096 * (c + 1));
      if (times) text += ",1000000,1002000,1043280,1045000";
      text += "\n";
    }
    host.write(output, text);
    const std::string stem = output.substr(0, output.rfind('.'));
    const bool system = parsed.has("--sys-trace");
    if (parsed.has("--stats") || system || parsed.has("--hip-trace") || parsed.has("--hsa-trace"))
      host.write(
          stem + ".stats.csv",
          kernel_stats(kernels, "\"Name\",\"Calls\",\"TotalDurationNs\",\"AverageNs\",\"Percentage\"\n"));
    for (const auto& [option, domain] : {std::pair{"--hip-trace", "hip"}, {"--hsa-trace", "hsa"}})
      if (parsed.has(option) || system)
        host.write(fmt::format("{}.{}_stats.csv", stem, domain),
                   fmt::format("\"Name\",\"Calls\",\"TotalDurationNs\",\"AverageNs\",\"Percentage\"\n\"{}\","
                               "2,8400,4200,100\n",
                               domain == std::string_view("hip") ? "hipMalloc" : "hsa_memory_allocate"));
    if (system || parsed.has("--hip-trace") || parsed.has("--hsa-trace") || parsed.has("--roctx-trace"))
      host.write(stem + ".json", "{\"traceEvents\":[]}\n");
    host.print("RPL: '{}' is generated\n", host.path(output));
  }
};

int profile(Host& host, const Parsed& parsed) {
  const std::string stamp = host.time("%y%m%d_%H%M%S");
  host.print("RPL: on '{}' from '{}' in '{}'\n", stamp, host.fact_or("rocm_path", "/opt/rocm"),
             amd::folder(host));
  const Rocprof tool{host, parsed};
  if (parsed.has("--list-basic") || parsed.has("--list-derived")) {
    if (parsed.has("--list-derived"))
      tool.list_derived();
    else
      tool.list_basic();
    return 0;
  }
  if (parsed.words.empty()) {
    host.out("ROCProfiler: application command line is missing\n");
    amd::print_help(host, host.tool("rocprof"), host.tool("rocprof").root);
    return 1;
  }
  std::vector<std::string> counters;
  const auto input = parsed.value("-i");
  if (input) {
    const std::string* text = host.file(*input);
    if (text == nullptr) {
      host.print("RPL: input file '{}' not found\n", shorten(to_valid_utf8(*input), 200));
      return 1;
    }
    counters = counters_of(*text);
  }
  const std::string data = parsed.value_or("-d", "/tmp") + fmt::format("/rpl_data_{}_{}", stamp, kPid);
  host.print(
      "RPL: profiling '\"{}\"'\nRPL: input file '{}'\nRPL: output dir '{}'\nRPL: result dir "
      "'{}/input_results_{}'\n"
      "ROCProfiler: input from \"{}/input.xml\"\n  {} metrics\n",
      join(parsed.words, "\" \""), input.value_or(""), data, data, stamp, data, counters.size());
  if (!counters.empty()) host.print("    {}\n", join(counters, ", "));
  const int exit = host.run(parsed.words, {});
  if (exit != 0) {
    host.out("Error found, profiling aborted.\n");
    return exit;
  }
  const std::vector<std::string> kernels = kernels_of(host, parsed.words);
  host.print("\nROCProfiler: {} contexts collected, output directory {}/input_results_{}\n", kernels.size(),
             data, stamp);
  tool.files(kernels, counters);
  return 0;
}

struct Trace {
  const char *option, *name, *line;
};
constexpr Trace kTraces[] = {
    {"--kernel-trace", "kernel_trace", "\"KERNEL_DISPATCH\",4,1,1,\"@\",1000,1041280"},
    {"--hip-trace", "hip_api_trace", "\"HIP_RUNTIME_API\",\"hipMalloc\",20417,1,900,5100"},
    {"--hip-runtime-trace", "hip_api_trace", "\"HIP_RUNTIME_API\",\"hipMalloc\",20417,1,900,5100"},
    {"--hip-compiler-trace", "hip_api_trace",
     "\"HIP_COMPILER_API\",\"__hipRegisterFatBinary\",20417,1,100,400"},
    {"--hsa-trace", "hsa_api_trace", "\"HSA_CORE_API\",\"hsa_queue_create\",20417,1,200,700"},
    {"--hsa-core-trace", "hsa_api_trace", "\"HSA_CORE_API\",\"hsa_queue_create\",20417,1,200,700"},
    {"--hsa-amd-trace", "hsa_api_trace",
     "\"HSA_AMD_EXT_API\",\"hsa_amd_memory_pool_allocate\",20417,1,300,800"},
    {"--memory-copy-trace", "memory_copy_trace", "\"MEMORY_COPY\",\"HOST_TO_DEVICE\",0,4,1200,9800"},
    {"--memory-allocation-trace", "memory_allocation_trace",
     "\"MEMORY_ALLOCATION\",\"ALLOCATE\",4,4194304,1000,1300"},
    {"--scratch-memory-trace", "scratch_memory_trace", "\"SCRATCH_MEMORY\",4,0,0,0"},
    {"--marker-trace", "marker_api_trace", "\"MARKER_CORE_API\",\"roctxRangePush\",20417,1,800,950"},
    {"--rccl-trace", "rccl_api_trace", "\"RCCL_API\",\"ncclAllReduce\",20417,1,1500,2500"},
};
constexpr std::string_view kSystem[] = {"--hip-trace",
                                        "--hsa-trace",
                                        "--kernel-trace",
                                        "--memory-copy-trace",
                                        "--memory-allocation-trace",
                                        "--marker-trace",
                                        "--scratch-memory-trace",
                                        "--rccl-trace"};
constexpr std::string_view kRuntime[] = {
    "--hip-runtime-trace", "--kernel-trace",         "--memory-copy-trace", "--memory-allocation-trace",
    "--marker-trace",      "--scratch-memory-trace", "--rccl-trace"};

bool traced(const Parsed& parsed, std::string_view option) {
  const auto in = [&](const auto& list) {
    return std::find(std::begin(list), std::end(list), option) != std::end(list);
  };
  return parsed.has(option) || (parsed.has("-s") && in(kSystem)) || (parsed.has("-r") && in(kRuntime));
}

void write_traces(Host& host, const Parsed& parsed, const std::vector<std::string>& kernels) {
  std::vector<std::string> formats{"csv"};
  if (const Given* given = parsed.find("-f")) formats = given->values;
  const std::string folder = parsed.value_or("-d", fmt::format("./{}", host.fact_or("hostname", "node1")));
  const std::string stem = folder + "/" + parsed.value_or("-o", std::to_string(kPid));
  const std::string kernel = kernels.front() + (parsed.has("-T") ? "" : "(float, float const*, float*, int)");
  std::sort(formats.begin(), formats.end());
  formats.erase(std::unique(formats.begin(), formats.end()), formats.end());
  for (const std::string& format : formats) {
    if (format != "csv") {
      host.write(
          stem + "_results." + format,
          fmt::format("{{\"rocprofiler-sdk-tool\":[{{\"pid\":{},\"kernel\":\"{}\"}}]}}\n", kPid, kernel));
      continue;
    }
    host.write(stem + "_agent_info.csv",
               "\"Node_Id\",\"Agent_Type\",\"Name\"\n4,\"GPU\",\"" + host.fact_or("gpu_name", "") + "\"\n");
    std::vector<std::string> done;
    for (const Trace& trace : kTraces) {
      if (!traced(parsed, trace.option) || std::find(done.begin(), done.end(), trace.name) != done.end())
        continue;
      done.emplace_back(trace.name);
      host.write(fmt::format("{}_{}.csv", stem, trace.name),
                 fmt::format("\"Kind\",\"Name\",\"Id\",\"Start_Timestamp\",\"End_Timestamp\"\n{}\n",
                             replace_all(trace.line, "@", kernel)));
      if (parsed.has("-S"))
        host.write(
            fmt::format("{}_{}.csv", stem, replace_all(trace.name, "_trace", "_stats")),
            kernel_stats({kernel}, "\"Name\",\"Calls\",\"TotalDurationNs\",\"AverageNs\",\"Percentage\"\n"));
    }
    if (const Given* counters = parsed.find("--pmc")) {
      std::string text = "\"Dispatch_Id\",\"Kernel_Name\",\"Counter_Name\",\"Counter_Value\"\n";
      for (const std::string& name : counters->values)
        text += fmt::format("1,\"{}\",\"{}\",4096\n", kernel, name);
      host.write(stem + "_counter_collection.csv", text);
    }
  }
}

}  // namespace

int run_rocprof(Host& host, const Args& args) {
  const ToolSpec& tool = host.tool("rocprof");
  const Parsed parsed = parse_options(tool, Engine::kWrapper, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) {
    host.print("RPL: Error, wrong option '{}'\n", shorten(to_valid_utf8(parsed.culprit), 200));
    amd::print_help(host, tool, tool.root);
    return 1;
  }
  if (parsed.has("-h")) {
    amd::print_help(host, tool, tool.root);
    return 0;
  }
  return profile(host, parsed);
}

int run_rocprofv3(Host& host, const Args& args) {
  const ToolSpec& tool = host.tool("rocprofv3");
  const auto dashes = std::find(args.begin() + 1, args.end(), "--");
  const Args own(args.begin() + 1, dashes);
  const Args command(dashes == args.end() ? dashes : dashes + 1, args.end());
  const Parsed parsed = parse_options(tool, dashes == args.end() ? Engine::kWrapper : Engine::kArgparse, own);
  if (parsed.problem != Problem::kNone) return amd::usage_error(host, tool, parsed);
  if (parsed.has("-h")) {
    amd::print_help(host, tool, tool.root);
    return 0;
  }
  if (parsed.has("-v")) {
    host.print("    version: {}\n", host.fact_or("packages.rocprofv3", ""));
    return 0;
  }
  if (parsed.has("-L")) {
    for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu)
      host.print("gpu-agent{0} : {1}\n  SQ_WAVES, GRBM_COUNT, GRBM_GUI_ACTIVE, TCC_HIT, TCC_MISS\n", gpu,
                 amd::fill(host, gpu, "{gfx}"));
    return 0;
  }
  const Args& child = dashes == args.end() ? parsed.words : command;
  if (child.empty()) return amd::usage_error(host, tool, tool.root, "Application not provided");
  if (const auto input = parsed.value("-i"); input && host.file(*input) == nullptr) {
    host.print_error("[rocprofv3] {} does not exist\n", shorten(to_valid_utf8(*input), 200));
    return 1;
  }
  const int exit = host.run(child, {});
  if (exit != 0) return exit;
  const std::vector<std::string> kernels = kernels_of(host, child);
  write_traces(host, parsed, kernels);
  if (parsed.has("--summary"))
    host.print("\nROCPROFV3 SUMMARY:\n\n|{:^50}|{:^12}|{:^16}|\n|{:^50}|{:^12}|{:^16}|\n", "NAME", "CALLS",
               "DURATION (nsec)", kernels.front(), 10, 412800);
  return 0;
}

}  // namespace micius::emu
