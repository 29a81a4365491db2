// nvcc: checks words, sources and architectures, and writes small files in place of code. A file holds the
// canonical options and the hash of its source, so that -O3 and -O2 leave different files.
#include "emu/cuda/nvcc.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/hash.h"
#include "base/text.h"

namespace micius::emu {
namespace {

enum class Phase {
  kLink,
  kObject,
  kPtx,
  kCubin,
  kFatbin,
  kLibrary,
  kPreprocess,
  kDepend,
  kCuda,
  kLtoir,
  kOptix
};

struct PhaseOption {
  const char* option;
  Phase phase;
  const char* suffix;
};
constexpr PhaseOption kPhases[] = {{"-c", Phase::kObject, ".o"},
                                   {"--device-c", Phase::kObject, ".o"},
                                   {"--device-w", Phase::kObject, ".o"},
                                   {"--ptx", Phase::kPtx, ".ptx"},
                                   {"--cubin", Phase::kCubin, ".cubin"},
                                   {"--fatbin", Phase::kFatbin, ".fatbin"},
                                   {"--cuda", Phase::kCuda, ".cu.cpp.ii"},
                                   {"--lib", Phase::kLibrary, ".a"},
                                   {"--preprocess", Phase::kPreprocess, ""},
                                   {"--generate-dependencies", Phase::kDepend, ""},
                                   {"--ltoir", Phase::kLtoir, ".ltoir"},
                                   {"--optix-ir", Phase::kOptix, ".optixir"},
                                   {"--device-link", Phase::kLibrary, "_dlink.o"}};

constexpr std::string_view kLibraries[] = {"cublas", "cublasLt",  "cudart",     "cudart_static", "cufft",
                                           "curand", "cusolver",  "cusparse",   "nccl",          "cudnn",
                                           "nvrtc",  "cuda",      "nvToolsExt", "nvjpeg",        "nppc",
                                           "cupti",  "nvidia-ml", "m",          "pthread",       "dl",
                                           "rt",     "stdc++",    "gomp",       "mpi",           "cudadevrt",
                                           "cufile", "cutensor",  "z"};

int fatal(Host& host, const std::string& message) {
  host.print_error("nvcc fatal   : {}\n", message);
  return 1;
}

std::string shown(std::string_view word) { return shorten(to_valid_utf8(word), 200); }

// "-O3" to "-O 3", "-lcublas" to "-l cublas": one-letter options with their value joined.
Args spread(const ToolSpec& tool, const Args& args) {
  Args words;
  for (std::size_t i = 1; i < args.size(); ++i) {
    const std::string& word = args[i];
    const bool joined = word.size() > 2 && word[0] == '-' &&
                        std::string_view("OlIDLUtx").find(word[1]) != std::string_view::npos &&
                        tool.root.find(word) == nullptr &&
                        tool.root.find(word.substr(0, word.find('='))) == nullptr;
    if (joined) {
      words.push_back(word.substr(0, 2));
      words.push_back(word[2] == '=' ? word.substr(3) : word.substr(2));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

class Compiler {
 public:
  Compiler(Host& host, Parsed parsed) : host_(host), parsed_(std::move(parsed)) {}

  int run() {
    if (const int exit = check_values(); exit != 0) return exit;
    if (const int exit = read_targets(); exit != 0) return exit;
    if (parsed_.words.empty())
      return fatal(host_, "No input files specified; use option --help for more information");
    for (const PhaseOption& phase : kPhases)
      if (parsed_.has(phase.option)) {
        phase_ = phase.phase;
        suffix_ = phase.suffix;
      }
    if (const int exit = read_sources(); exit != 0) return exit;
    if (parsed_.has("--dryrun")) return dry_run();
    if (const int exit = link_libraries(); exit != 0) return exit;
    resource_usage();
    return emit();
  }

 private:
  struct Source {
    std::string path, content;
  };

  int check_values() {
    for (const Given& given : parsed_.options) {
      const std::vector<std::string>& known = given.option->values;
      if (known.empty() || given.option->name == "--gpu-architecture" || given.option->name == "--gpu-code" ||
          given.option->name == "--Werror")
        continue;
      for (const std::string& value : given.values)
        if (std::find(known.begin(), known.end(), value) == known.end())
          return fatal(host_, fmt::format("Value '{}' is not defined for option '{}'", shown(value),
                                          given.option->name.substr(2)));
    }
    return 0;
  }

  static int toolkit_major(const Host& host) {
    const std::string version = host.fact_or("packages.cuda_toolkit", "13.0");
    int major = 0;
    std::from_chars(version.data(), version.data() + version.size(), major);
    return major;
  }

 public:
  // The architectures of the profile's toolkit, as numbers with their letters.
  static std::vector<std::string> architectures(const Host& host) {
    std::vector<std::string> list;
    if (toolkit_major(host) < 13)
      for (const char* old : {"50", "52", "53", "60", "61", "62", "70", "72"}) list.emplace_back(old);
    for (const char* code : {"75", "80", "86", "87", "89", "90", "90a", "100", "100a", "103", "120", "120a"})
      list.emplace_back(code);
    return list;
  }

 private:
  bool known_target(std::string_view target) const {
    const std::size_t mark = target.find('_');
    if (mark == std::string_view::npos) return false;
    const std::vector<std::string> known = architectures(host_);
    return std::find(known.begin(), known.end(), target.substr(mark + 1)) != known.end();
  }

  int add_target(std::string_view target) {
    const bool shape =
        target.substr(0, 3) == "sm_" || target.substr(0, 8) == "compute_" || target.substr(0, 4) == "lto_";
    if (!shape || !known_target(target)) {
      const std::string name =
          shape ? "compute_" + std::string(target.substr(target.find('_') + 1)) : std::string(target);
      return fatal(host_, fmt::format("Unsupported gpu architecture '{}'", shown(name)));
    }
    if (std::find(targets_.begin(), targets_.end(), target) == targets_.end()) targets_.emplace_back(target);
    return 0;
  }

  // "arch=compute_90,code=sm_90" or "code=[sm_90,compute_90]"
  int add_generated(const std::string& text) {
    const std::size_t code = text.find(",code=");
    if (text.rfind("arch=", 0) != 0 || code == std::string::npos)
      return fatal(host_, fmt::format("Option '--generate-code {}', missing code", shown(text)));
    const std::string arch = text.substr(5, code - 5);
    if (arch.rfind("compute_", 0) != 0 || !known_target(arch))
      return fatal(host_, fmt::format("Unsupported gpu architecture '{}'", shown(arch)));
    std::string list = text.substr(code + 6);
    list.erase(
        std::remove_if(list.begin(), list.end(), [](char c) { return c == '[' || c == ']' || c == '"'; }),
        list.end());
    for (std::string_view target : split(list, ','))
      if (const int exit = add_target(target); exit != 0) return exit;
    return 0;
  }

  int read_targets() {
    for (const Given& given : parsed_.options)
      if (given.option->name == "--generate-code")
        if (const int exit = add_generated(given.values.front()); exit != 0) return exit;
    std::string arch = parsed_.value_or("--gpu-architecture", "");
    if (arch == "native") arch = "sm_" + replace_all(host_.gpu(0, "compute_cap").value_or("7.5"), ".", "");
    if (arch == "all" || arch == "all-major") {
      for (const std::string& code : architectures(host_))
        if (code.back() != 'a' && (arch == "all" || code.back() == '0')) targets_.push_back("sm_" + code);
      return 0;
    }
    if (const auto code = parsed_.value("--gpu-code")) {
      if (arch.empty()) return fatal(host_, "Option 'gpu-code' requires option 'gpu-architecture'");
      for (std::string_view target : split(*code, ','))
        if (const int exit = add_target(target); exit != 0) return exit;
      return known_target(arch) ? 0
                                : fatal(host_, fmt::format("Unsupported gpu architecture '{}'", shown(arch)));
    }
    if (arch.empty() && targets_.empty()) arch = toolkit_major(host_) >= 13 ? "sm_75" : "sm_52";
    if (arch.empty()) return 0;
    if (const int exit = add_target(arch); exit != 0) return exit;
    return arch.rfind("sm_", 0) == 0 ? add_target("compute_" + arch.substr(3)) : 0;
  }

  int read_sources() {
    if (parsed_.words.size() > kMostSources) return fatal(host_, "Too many input files");
    for (const std::string& path : parsed_.words) {
      const std::string* content = host_.file(path);
      if (content == nullptr) {
        host_.print_error("cc1plus: fatal error: {}: No such file or directory\ncompilation terminated.\n",
                          shown(path));
        missing_ = true;
        continue;
      }
      sources_.push_back({path, *content});
    }
    const bool one_file = phase_ != Phase::kLink && phase_ != Phase::kLibrary;
    if (one_file && parsed_.words.size() > 1 && parsed_.has("-o"))
      return fatal(host_,
                   "A single input file is required for a non-link phase when an outputfile is specified");
    return missing_ ? 1 : 0;
  }

  int link_libraries() {
    if (phase_ != Phase::kLink) return 0;
    for (const Given& given : parsed_.options)
      if (given.option->name == "--library")
        for (std::string_view name : split(given.values.front(), ','))
          if (std::find(std::begin(kLibraries), std::end(kLibraries), name) == std::end(kLibraries)) {
            host_.print_error(
                "/usr/bin/ld: cannot find -l{}: No such file or directory\ncollect2: error: ld returned 1 "
                "exit status\n",
                shown(name));
            return 1;
          }
    return 0;
  }

  void resource_usage() {
    bool wanted = parsed_.has("--resource-usage");
    for (const Given& given : parsed_.options)
      if (given.option->name == "--ptxas-options") {
        const std::string list = "," + given.values.front() + ",";
        wanted =
            wanted || list.find(",-v,") != std::string::npos || list.find(",--verbose,") != std::string::npos;
      }
    if (!wanted) return;
    int limit = 255;
    const std::string text = parsed_.value_or("--maxrregcount", "255");
    std::from_chars(text.data(), text.data() + text.size(), limit);
    for (const std::string& target : targets_)
      for (const Source& source : sources_)
        for (const std::string& kernel : kernel_names(source.content)) {
          if (target.rfind("sm_", 0) != 0) continue;
          const auto seed = static_cast<int>(sha256_hex(kernel + target)[0] % 16);
          host_.print_error(
              "ptxas info    : 0 bytes gmem\nptxas info    : Compiling entry function '_Z{}{}' for '{}'\n"
              "ptxas info    : Function properties for _Z{}{}\n    0 bytes stack frame, 0 bytes spill "
              "stores, 0 bytes spill loads\n"
              "ptxas info    : Used {} registers, used 0 barriers\n",
              kernel.size(), kernel, target, kernel.size(), kernel, std::min(limit, 12 + 2 * seed));
        }
  }

  // What decides the code: every option but those that name files or only print.
  std::string canonical() const {
    std::vector<std::string> list;
    for (const Given& given : parsed_.options) {
      const std::string& name = given.option->name;
      if (name == "-o" || name == "--gpu-architecture" || name == "--gpu-code" || name == "--generate-code" ||
          name == "--dryrun" || name == "--verbose" || name == "--keep" || name == "--keep-dir" ||
          name == "--output-directory" || name == "--threads" || name == "--time" ||
          name == "--resource-usage" || name == "--run")
        continue;
      std::string values = join(given.values, ",");
      if (name == "--ptxas-options" && (values == "-v" || values == "--verbose")) continue;
      list.push_back(values.empty() ? name : name + "=" + values);
    }
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return join(list, " ");
  }

  std::string body(const std::vector<Source>& sources) const {
    std::vector<std::string> targets = targets_;
    std::sort(targets.begin(), targets.end());
    std::string text =
        fmt::format("nvcc {}\noptions: {}\ntargets: {}\n", host_.fact_or("packages.cuda_toolkit", ""),
                    canonical(), join(targets, ","));
    for (const Source& source : sources)
      text += fmt::format("source: {} {}\n", source.path.substr(source.path.rfind('/') + 1),
                          sha256_hex(source.content).substr(0, 16));
    return text;
  }

  std::string ptx(const Source& source) const {
    std::string arch = targets_.empty() ? "compute_75" : targets_.back();
    std::string text = fmt::format(
        "//\n// Generated by NVIDIA NVVM Compiler\n//\n// {}\n.version 9.0\n.target sm_{}\n.address_size "
        "64\n\n",
        replace_all(body({source}), "\n", "\n// "), arch.substr(arch.find('_') + 1));
    for (const std::string& kernel : kernel_names(source.content))
      text += fmt::format(".visible .entry _Z{}{}()\n{{\n\tret;\n}}\n", kernel.size(), kernel);
    return text;
  }

  std::string stem(const std::string& path) const {
    const std::string name = path.substr(path.rfind('/') + 1);
    const std::string folder =
        parsed_.has("--output-directory") ? parsed_.value_or("--output-directory", ".") + "/" : "";
    return folder + name.substr(0, name.rfind('.'));
  }

  int emit() {
    const auto output = parsed_.value("-o");
    if (phase_ == Phase::kPreprocess || phase_ == Phase::kDepend) {
      std::string text;
      for (const Source& source : sources_)
        text += phase_ == Phase::kDepend ? fmt::format("{}.o : {}\n", stem(source.path), source.path)
                                         : "# 1 \"" + source.path + "\"\n" + source.content;
      if (output)
        host_.write(*output, text);
      else
        host_.out(text);
      return 0;
    }
    keep_files();
    if (phase_ == Phase::kLink || phase_ == Phase::kLibrary) {
      const std::string name = output.value_or(phase_ == Phase::kLink ? "a.out" : "a" + suffix_);
      const bool program = phase_ == Phase::kLink && !parsed_.has("--shared");
      if (program)
        host_.write_program(name, kAppLine + body(sources_));
      else if (parsed_.has("--shared"))
        host_.write_program(name, body(sources_));
      else
        host_.write(name, body(sources_));
      if (program && parsed_.has("--run")) return host_.run({"gpu-app", name}, {});
      return 0;
    }
    for (const Source& source : sources_)
      host_.write(output.value_or(stem(source.path) + suffix_),
                  phase_ == Phase::kPtx ? ptx(source) : suffix_.substr(1) + "\n" + body({source}));
    if (const auto time = parsed_.value("--time"))
      host_.write(
          *time,
          "source file name, phase name, phase input files, phase output file, arch, tool, metric, unit\n");
    return 0;
  }

  void keep_files() {
    if (!parsed_.has("--keep") && !parsed_.has("--save-temps")) return;
    const std::string folder = parsed_.has("--keep-dir") ? parsed_.value_or("--keep-dir", ".") + "/" : "";
    for (const Source& source : sources_) {
      const std::string name = folder + stem(source.path.substr(source.path.rfind('/') + 1));
      host_.write(name + ".ptx", ptx(source));
      host_.write(name + ".cubin", "cubin\n" + body({source}));
      host_.write(name + ".fatbin", "fatbin\n" + body({source}));
    }
  }

  int dry_run() {
    const std::string options = canonical();
    host_.print_error(
        "#$ _NVVM_BRANCH_=nvvm\n#$ _SPACE_= \n#$ _CUDART_=cudart\n#$ _HERE_=/usr/local/cuda/bin\n#$ "
        "_THERE_=/usr/local/cuda/bin\n"
        "#$ TOP=/usr/local/cuda/bin/..\n#$ NVVMIR_LIBRARY_DIR=/usr/local/cuda/bin/../nvvm/libdevice\n");
    for (const Source& source : sources_) {
      const std::string name = stem(source.path);
      host_.print_error(
          "#$ gcc -D__CUDA_ARCH_LIST__ -E -x c++ -D__CUDACC__ {} \"{}\" -o \"/tmp/{}.cpp4.ii\"\n", options,
          source.path, name);
      for (const std::string& target : targets_)
        if (target.rfind("sm_", 0) == 0)
          host_.print_error(
              "#$ cicc --c++17 -arch compute_{0} -m64 \"/tmp/{1}.cpp1.ii\" -o \"/tmp/{1}.ptx\"\n#$ ptxas "
              "-arch={2} -m64 \"/tmp/{1}.ptx\" -o \"/tmp/{1}.cubin\"\n",
              target.substr(3), name, target);
      host_.print_error(
          "#$ fatbinary --create=\"/tmp/{0}.fatbin\" -64\n#$ gcc -c -x c++ \"/tmp/{0}.cudafe1.cpp\" -o "
          "\"/tmp/{0}.o\"\n",
          name);
    }
    if (phase_ == Phase::kLink)
      host_.print_error("#$ g++ -m64 -o \"{}\" -lcudadevrt -lcudart_static -lrt -lpthread -ldl\n",
                        parsed_.value_or("-o", "a.out"));
    return 0;
  }

  Host& host_;
  Parsed parsed_;
  Phase phase_ = Phase::kLink;
  std::string suffix_;
  std::vector<std::string> targets_;
  std::vector<Source> sources_;
  bool missing_ = false;
};

int version(Host& host) {
  host.print(
      "nvcc: NVIDIA (R) Cuda compiler driver\nCopyright (c) 2005-2025 NVIDIA Corporation\nBuilt on {}\n"
      "Cuda compilation tools, release {}\nBuild {}\n",
      host.fact_or("packages.nvcc_date", ""), host.fact_or("packages.nvcc_release", ""),
      host.fact_or("packages.nvcc_build", ""));
  return 0;
}

int help(Host& host, const ToolSpec& tool) {
  host.print("\nUsage  : {}\n\nOptions\n=======\n\n", tool.root.synopsis);
  for (const OptionSpec& option : tool.root.options)
    host.print("{:<60}({})\n        {}\n\n",
               option.flags.front() + (option.arg.empty() ? "" : " <" + lower_ascii(option.arg) + ">"),
               option.flags.back(), option.help);
  return 0;
}

}  // namespace

int run_nvcc(Host& host, const Args& args) {
  const ToolSpec& tool = host.tool("nvcc");
  const Args words = spread(tool, args);
  Parsed parsed = parse_options(tool, Engine::kNvidia, words);
  if (parsed.problem == Problem::kMissingValue)
    return fatal(host, fmt::format("'{}': expected an argument", shown(parsed.culprit)));
  if (parsed.problem != Problem::kNone)
    return fatal(host, fmt::format("Unknown option '{}'", shown(parsed.culprit)));
  if (parsed.has("--help")) return help(host, tool);
  if (parsed.has("--version")) return version(host);
  for (const auto& [option, prefix] :
       {std::pair{"--list-gpu-arch", "compute_"}, std::pair{"--list-gpu-code", "sm_"}})
    if (parsed.has(option)) {
      for (const std::string& code : Compiler::architectures(host))
        if (code.back() != 'a') host.print("{}{}\n", prefix, code);
      return 0;
    }
  return Compiler(host, std::move(parsed)).run();
}

}  // namespace micius::emu
