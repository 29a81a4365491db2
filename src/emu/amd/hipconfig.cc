// hipconfig: where HIP is and how it was set up.
#include "base/text.h"
#include "emu/amd/hip.h"
#include "emu/amd/values.h"

namespace micius::emu {
namespace {

struct Answer {
  const char* option;
  std::string text;
};

std::vector<Answer> answers(Host& host) {
  const std::string root = host.env("ROCM_PATH").value_or(host.fact_or("rocm_path", "/opt/rocm"));
  const std::string hip = host.env("HIP_PATH").value_or(root);
  return {{"-p", hip},
          {"-R", root},
          {"-C", fmt::format(" -D__HIP_PLATFORM_AMD__ -I{}/include", hip)},
          {"-c", host.env("HIP_COMPILER").value_or("clang")},
          {"-P", host.env("HIP_PLATFORM").value_or("amd")},
          {"-r", host.env("HIP_RUNTIME").value_or("rocclr")},
          {"-l", root + "/lib/llvm/bin"},
          {"-v", host.fact_or("packages.hip", "")}};
}

void full(Host& host) {
  const std::vector<Answer> all = answers(host);
  host.print(
      "HIP version  : {}\n\n== hipconfig\nHIP_PATH     : {}\nROCM_PATH    : {}\nHIP_COMPILER : "
      "{}\nHIP_PLATFORM : {}\n"
      "HIP_RUNTIME  : {}\nCPP_CONFIG   : {}\n\n== hip-clang\nHIP_CLANG_PATH   : {}\n",
      all[7].text, all[0].text, all[1].text, all[3].text, all[4].text, all[5].text, all[2].text, all[6].text);
  host.print(
      "AMD clang version {0} (https://github.com/RadeonOpenCompute/llvm-project {1})\nTarget: "
      "x86_64-unknown-linux-gnu\nThread model: posix\nInstalledDir: {2}\nhip-clang-cxxflags :  -isystem "
      "\"{3}/include\" -O3\nhip-clang-ldflags  :  -O3 --hip-link --rtlib=compiler-rt -unwindlib=libgcc\n",
      host.fact_or("packages.clang", ""), host.fact_or("packages.clang_commit", ""), all[6].text,
      all[1].text);
  host.out("\n== Environment Variables\n");
  for (const auto& [name, value] : host.environment())
    for (std::string_view prefix : {"PATH", "HIP", "HSA", "ROCM", "LD_LIBRARY_PATH"})
      if (name.rfind(prefix, 0) == 0) host.print("{}={}\n", name, value);
  host.print("\n== Linux Kernel\nHostname     : {0}\nLinux {0} {1} x86_64 GNU/Linux\n",
             host.fact_or("hostname", ""), host.fact_or("kernel", ""));
}

}  // namespace

int run_hipconfig(Host& host, const Args& args) {
  const ToolSpec& tool = host.tool("hipconfig");
  const Parsed parsed = parse_options(tool, Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone || !parsed.words.empty()) {
    host.print_error("Unknown option: {}\n",
                     shorten(to_valid_utf8(parsed.words.empty() ? parsed.culprit : parsed.words[0]), 200));
    amd::print_help(host, tool, tool.root);
    return 1;
  }
  if (parsed.has("-h")) {
    amd::print_help(host, tool, tool.root);
    return 0;
  }
  bool any = false;
  for (const Answer& answer : answers(host))
    if (parsed.has(answer.option)) {
      host.print("{}{}", answer.text, parsed.has("-n") ? "\n" : "");
      any = true;
    }
  if (parsed.has("-w")) {
    host.print("{}{}", amd::folder(host), parsed.has("-n") ? "\n" : "");
    any = true;
  }
  if (parsed.has("--check")) {
    host.print(
        "\nCheck system installation:\ncheck hipconfig in PATH... good\ncheck LD_LIBRARY_PATH ({}) contains "
        "HSA... good\n",
        host.environment().count("LD_LIBRARY_PATH") == 1 ? "set" : "not set");
    any = true;
  }
  if (!any || parsed.has("-f")) full(host);
  return 0;
}

}  // namespace micius::emu
