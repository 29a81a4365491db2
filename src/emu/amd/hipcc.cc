// hipcc: checks words, sources and targets, and writes small files in place of code. A file holds the
// canonical options and the hash of its source, so that -O3 and -O2 leave different files.
#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "emu/amd/hip.h"
#include "emu/amd/values.h"
#include "emu/cuda/nvcc.h"

namespace micius::emu {
namespace {

constexpr std::string_view kProcessors[] = {
    "gfx803",  "gfx900",  "gfx902",  "gfx904",  "gfx906",  "gfx908",  "gfx909",  "gfx90a",
    "gfx90c",  "gfx940",  "gfx941",  "gfx942",  "gfx950",  "gfx1010", "gfx1011", "gfx1012",
    "gfx1030", "gfx1031", "gfx1032", "gfx1033", "gfx1034", "gfx1035", "gfx1036", "gfx1100",
    "gfx1101", "gfx1102", "gfx1103", "gfx1150", "gfx1151", "gfx1200", "gfx1201"};
constexpr std::string_view kLibraries[] = {
    "amdhip64",   "hipblas", "hipblaslt", "hipfft",    "hiprand", "hipsolver", "hipsparse", "rocblas",
    "rocfft",     "rocrand", "rocsolver", "rocsparse", "rccl",    "MIOpen",    "roctx64",   "hsa-runtime64",
    "rocm_smi64", "amd_smi", "hiprtc",    "m",         "pthread", "dl",        "rt",        "stdc++",
    "omp",        "mpi",     "z",         "numa"};
// Clang's options beside the table: those that begin so, and those that take the next word.
constexpr std::string_view kClangPrefixes[] = {"-W",
                                               "-f",
                                               "-m",
                                               "-std",
                                               "-O",
                                               "-g",
                                               "-M",
                                               "-Xarch",
                                               "--rocm-path=",
                                               "--hip-path=",
                                               "--rocm-device-lib-path=",
                                               "-no-hip-rt",
                                               "-nogpu",
                                               "-parallel-jobs",
                                               "-isystem"};
constexpr std::string_view kClangSwitches[] = {"-E",
                                               "-S",
                                               "-shared",
                                               "-static",
                                               "-pthread",
                                               "-w",
                                               "-pedantic",
                                               "-pipe",
                                               "-emit-llvm",
                                               "-rdynamic",
                                               "-P",
                                               "-dM",
                                               "-###",
                                               "--cuda-device-only",
                                               "--cuda-host-only",
                                               "--offload-device-only",
                                               "--offload-host-only",
                                               "--offload-compress"};
constexpr std::string_view kClangPairs[] = {
    "-include", "-isystem", "-iquote", "-idirafter",       "-Xlinker", "-Xclang", "-mllvm",
    "-MF",      "-MT",      "-MQ",     "-Xoffload-linker", "-T",       "-target"};

template <typename List>
bool in(const List& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

std::string shown(std::string_view word) { return shorten(to_valid_utf8(word), 200); }

class Compiler {
 public:
  explicit Compiler(Host& host) : host_(host) {}

  int run(Args words) {
    if (const auto more = host_.env("HIPCC_COMPILE_FLAGS_APPEND"))
      for (std::string_view word : split_words(*more)) words.emplace_back(word);
    for (at_ = 0; at_ < words.size(); ++at_)
      if (const int exit = read(words); exit != 0) return exit;
    if (!inputs_.empty() || !printed_) return compile();
    return 0;
  }

 private:
  struct Source {
    std::string path, content;
  };

  int error(const std::string& text) {
    host_.print_error("clang++: error: {}\n", text);
    return 1;
  }

  int read(const Args& words) {
    const std::string& word = words[at_];
    if (word.size() < 2 || word[0] != '-') {
      inputs_.push_back(word);
      return 0;
    }
    if (const auto exit = print_only(word)) return *exit;
    if (word.rfind("--offload-arch=", 0) == 0 || word.rfind("--amdgpu-target=", 0) == 0)
      return add_targets(word.substr(word.find('=') + 1));
    const OptionSpec* found = host_.tool("hipcc").root.find(word);
    if ((found != nullptr && !found->is_switch()) || in(kClangPairs, word)) {
      if (at_ + 1 >= words.size())
        return error(fmt::format("argument to '{}' is missing (expected 1 value)", shown(word)));
      return with_value(word, words[++at_]);
    }
    if (found != nullptr || in(kClangSwitches, word)) {
      switches_.push_back(word);
      return 0;
    }
    for (std::string_view joined : {"-I", "-L", "-l", "-D", "-U", "-o", "-x"})
      if (word.substr(0, 2) == joined) return with_value(std::string(joined), word.substr(2));
    for (std::string_view prefix : kClangPrefixes)
      if (word.size() > prefix.size() && word.substr(0, prefix.size()) == prefix) {
        switches_.push_back(word);
        return 0;
      }
    return error(fmt::format("unknown argument: '{}'", shown(word)));
  }

  // Words that print and compile nothing.
  std::optional<int> print_only(const std::string& word) {
    const std::string root = host_.fact_or("rocm_path", "/opt/rocm");
    if (word == "--version") {
      host_.print(
          "HIP version: {}\nAMD clang version {} (https://github.com/RadeonOpenCompute/llvm-project {})\n"
          "Target: x86_64-unknown-linux-gnu\nThread model: posix\nInstalledDir: {}/lib/llvm/bin\n"
          "Configuration file: {}/lib/llvm/bin/clang++.cfg\n",
          host_.fact_or("packages.hip", ""), host_.fact_or("packages.clang", ""),
          host_.fact_or("packages.clang_commit", ""), root, root);
    } else if (word == "--cxxflags") {
      host_.print(" -isystem \"{}/include\" -O3", root);
    } else if (word == "--ldflags") {
      host_.print(" -O3 --hip-link --rtlib=compiler-rt -unwindlib=libgcc", root);
    } else if (word == "--help" || word == "-h") {
      amd::print_help(host_, host_.tool("hipcc"), host_.tool("hipcc").root);
    } else {
      return std::nullopt;
    }
    printed_ = true;
    return 0;
  }

  int with_value(const std::string& option, const std::string& value) {
    if (option == "--offload-arch" || option == "--amdgpu-target") return add_targets(value);
    if (option == "-o") {
      output_ = value;
    } else if (option == "-l") {
      if (!in(kLibraries, value)) missing_library_ = value;
      valued_.push_back("-l" + value);
    } else if (option == "-x" && value != "hip" && value != "c++" && value != "cuda" && value != "c") {
      return error(fmt::format("language not recognized: '{}'", shown(value)));
    } else {
      valued_.push_back(option + value);
    }
    return 0;
  }

  int add_targets(const std::string& list) {
    for (std::string_view target : split(list, ',')) {
      std::string name(target == "native" ? host_.gpu(0, "gfx").value_or("gfx906") : std::string(target));
      const std::vector<std::string_view> parts = split(name, ':');
      bool good = in(kProcessors, parts[0]);
      for (std::size_t i = 1; i < parts.size(); ++i)
        good = good && (parts[i] == "xnack+" || parts[i] == "xnack-" || parts[i] == "sramecc+" ||
                        parts[i] == "sramecc-");
      if (!good)
        return error(
            fmt::format("invalid target ID '{}'; format is a processor name followed by an optional "
                        "colon-delimited list of features followed by an enable/disable sign (e.g., "
                        "'gfx908:sramecc+:xnack-')",
                        shown(name)));
      if (!in(targets_, name)) targets_.push_back(std::move(name));
    }
    return 0;
  }

  bool has(std::string_view word) const { return in(switches_, word); }

  int compile() {
    if (inputs_.empty()) return error("no input files");
    if (inputs_.size() > kMostSources) return error("too many input files");
    if (targets_.empty()) targets_.push_back(host_.gpu(0, "gfx").value_or("gfx906"));
    std::sort(targets_.begin(), targets_.end());
    bool missing = false;
    for (const std::string& path : inputs_) {
      const std::string* content = host_.file(path);
      if (content == nullptr) {
        error(fmt::format("no such file or directory: '{}'", shown(path)));
        missing = true;
      } else {
        sources_.push_back({path, *content});
      }
    }
    if (missing) return 1;
    const bool link = !has("-c") && !has("-S") && !has("-E") && !has("--genco");
    if (!link && !has("--genco") && output_ && inputs_.size() > 1)
      return error("cannot specify -o when generating multiple output files");
    if (link && missing_library_) {
      host_.print_error(
          "ld.lld: error: unable to find library -l{}\nclang++: error: linker command failed with exit code "
          "1 (use -v "
          "to see invocation)\n",
          shown(*missing_library_));
      return 1;
    }
    if (has("-v") || has("--verbose") || has("-###")) show_commands();
    if (has("-###")) return 0;
    resource_usage();
    return emit(link ? Goal::kLinked : Goal::kObject);
  }

  void show_commands() {
    const std::string root = host_.fact_or("rocm_path", "/opt/rocm");
    for (const Source& source : sources_)
      for (const std::string& target : targets_)
        host_.print_error(
            " \"{}/lib/llvm/bin/clang-18\" -cc1 -triple amdgcn-amd-amdhsa -target-cpu {} {} \"{}\"\n", root,
            target, canonical(), source.path);
  }

  void resource_usage() {
    if (!has("-Rpass-analysis=kernel-resource-usage")) return;
    for (const Source& source : sources_)
      for (const std::string& kernel : kernel_names(source.content)) {
        const std::size_t line =
            1 + static_cast<std::size_t>(std::count(
                    source.content.begin(),
                    source.content.begin() + static_cast<std::ptrdiff_t>(source.content.find(kernel)), '\n'));
        const int seed = static_cast<unsigned char>(sha256_hex(kernel + targets_[0])[0]) % 16;
        const auto remark = [&](const std::string& text) {
          host_.print_error("{}:{}:1: remark: {} [-Rpass-analysis=kernel-resource-usage]\n", source.path,
                            line, text);
        };
        remark(fmt::format("Function Name: _Z{}{}", kernel.size(), kernel));
        for (const std::string& text :
             {fmt::format("    SGPRs: {}", 10 + seed), fmt::format("    VGPRs: {}", 4 + 2 * seed),
              std::string("    AGPRs: 0"), std::string("    ScratchSize [bytes/lane]: 0"),
              std::string("    Occupancy [waves/SIMD]: 8"), std::string("    SGPRs Spill: 0"),
              std::string("    VGPRs Spill: 0"), std::string("    LDS Size [bytes/block]: 0")})
          remark(text);
      }
  }

  // What decides the code: every option but those that name files or only print.
  std::string canonical() const {
    std::vector<std::string> list = valued_;
    std::string optimisation = "-O3";  // hipcc's own default
    for (const std::string& word : switches_) {
      if (word == "-v" || word == "--verbose" || word == "--save-temps" || word.rfind("-Rpass", 0) == 0 ||
          word.rfind("-parallel-jobs", 0) == 0)
        continue;
      if (word.rfind("-O", 0) == 0)
        optimisation = word;
      else
        list.push_back(word);
    }
    list.push_back(optimisation);
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return join(list, " ");
  }

  std::string body(const std::vector<Source>& sources) const {
    std::string text = fmt::format("hipcc {}\noptions: {}\ntargets: {}\n", host_.fact_or("rocm", ""),
                                   canonical(), join(targets_, ","));
    for (const Source& source : sources)
      text += fmt::format("source: {} {}\n", source.path.substr(source.path.rfind('/') + 1),
                          sha256_hex(source.content).substr(0, 16));
    return text;
  }

  static std::string stem(const std::string& path) {
    const std::string name = path.substr(path.rfind('/') + 1);
    return name.substr(0, name.rfind('.'));
  }

  enum class Goal { kObject, kLinked };

  int emit(Goal goal) {
    const bool link = goal == Goal::kLinked;
    if (has("--save-temps"))
      for (const Source& source : sources_)
        for (const std::string& target : targets_)
          for (const char* suffix : {"bc", "s", "o"})
            host_.write(fmt::format("{}-hip-amdgcn-amd-amdhsa-{}.{}", stem(source.path),
                                    replace_all(target, ":", "_"), suffix),
                        std::string(suffix) + "\n" + body({source}));
    if (has("-E")) {
      std::string text;
      for (const Source& source : sources_) text += "# 1 \"" + source.path + "\"\n" + source.content;
      if (output_)
        host_.write(*output_, text);
      else
        host_.out(text);
      return 0;
    }
    if (link || has("--genco")) {
      const bool program = link && !has("-shared");
      const std::string path = output_.value_or("a.out");
      if (program)
        host_.write_program(path, kAppLine + body(sources_));
      else if (has("-shared"))
        host_.write_program(path, (link ? "shared\n" : "code object\n") + body(sources_));
      else
        host_.write(path, "code object\n" + body(sources_));
      return 0;
    }
    const std::string suffix = has("-S") ? ".s" : ".o";
    for (const Source& source : sources_)
      host_.write(output_.value_or(stem(source.path) + suffix), suffix.substr(1) + "\n" + body({source}));
    return 0;
  }

  Host& host_;
  std::size_t at_ = 0;
  bool printed_ = false;
  std::vector<std::string> inputs_, switches_, valued_, targets_;
  std::vector<Source> sources_;
  std::optional<std::string> output_, missing_library_;
};

}  // namespace

int run_hipcc(Host& host, const Args& args) { return Compiler(host).run({args.begin() + 1, args.end()}); }

}  // namespace micius::emu
