// The other tools: what they write, remember and refuse.
#include <cstdlib>
#include <ctime>
#include <string>

#include <catch2/catch.hpp>

#include "emu/options.h"
#include "emu/regex.h"
#include "emu_data.h"

namespace micius::emu {
namespace {

const Files kFiles = {
    {"/job/app.cu", "__global__ void add(float* x) { x[0] = 1; }\nint main() {}\n"},
    {"/job/app", std::string(kAppLine) + "targets: compute_80,sm_80\n"},
    {"/job/host.ini", "[all]\nnode1\nnode2 ansible_user=root\n"},
    {"/job/config.yaml", "superbench:\n  benchmarks:\n    kernel-launch:\n      enable: true\n    mem-bw:\n"},
    {"/job/data.jsonl", "{\"node\":\"a\",\"m/x:0\":2}\n{\"node\":\"b\",\"m/x:0\":1}\n"},
    {"/job/rule.yaml", "mean max - m/x:0"},
    {"/job/other.yaml", "- n/x:0"},
    {"/job/base.json", "{\"m/x:0\":1}"}};

Outcome with_files(const std::string& profile, const std::string& line) {
  State state;
  return run_line(profile, line, state, kFiles);
}

}  // namespace

TEST_CASE("nvcc leaves files that tell their options apart") {
  const auto content = [](const std::string& line) {
    const Outcome outcome = with_files("h100x8", line);
    REQUIRE(outcome.exit == 0);
    REQUIRE(outcome.writes.size() == 1);
    return outcome.writes[0].content;
  };
  const std::string o3 = content("nvcc -O3 app.cu -o app");
  CHECK(o3 == content("nvcc --optimize=3 -o app app.cu"));
  CHECK(o3 != content("nvcc -O2 app.cu -o app"));
  CHECK(content("nvcc -arch=sm_90 app.cu") == content("nvcc --gpu-architecture=sm_90 app.cu -o a"));
  CHECK(content("nvcc -arch=sm_90 app.cu") != content("nvcc -gencode arch=compute_90,code=sm_90 app.cu"));
  CHECK(content("nvcc -arch=sm_90 app.cu") != content("nvcc app.cu"));
  CHECK(content("nvcc -ptx -arch=compute_80 app.cu").find(".target sm_80") != std::string::npos);
  CHECK(with_files("h100x8", "nvcc -c app.cu").writes[0].path == "/job/app.o");
  CHECK_FALSE(with_files("h100x8", "nvcc -c app.cu").writes[0].executable);
}

TEST_CASE("nvcc refuses what the toolkit refuses") {
  CHECK(with_files("h100x8", "nvcc -arch=sm_70 app.cu").exit == 1);
  CHECK(with_files("v100x8", "nvcc -arch=sm_70 app.cu").exit == 0);
  CHECK(with_files("h100x8", "nvcc --nonsense app.cu").exit == 1);
  CHECK(with_files("h100x8", "nvcc").exit == 1);
  CHECK(with_files("h100x8", "nvcc missing.cu").exit == 1);
  CHECK(with_files("h100x8", "nvcc app.cu -lnothing").exit == 1);
}

TEST_CASE("a compiled program runs where its code fits") {
  CHECK(with_files("a100x8", "./app").exit == 127);  // the shell runs it, and it its interpreter
  CHECK(with_files("a100x8", "numactl --cpunodebind=1 ./app").out.find("NUMA policy: cpunodebind=1") !=
        std::string::npos);
  CHECK(with_files("a100x8", "numactl --cpunodebind=7 ./app").exit == 1);
  CHECK(with_files("a100x8", "gpu-app ./app").exit == 0);
  CHECK(with_files("v100x8", "gpu-app ./app").exit == 1);
  const Outcome profiled = with_files("a100x8", "nsys profile -t cuda,nvtx -o report2 ./app");
  REQUIRE(profiled.writes.size() == 1);
  CHECK(profiled.writes[0].path == "/job/report2.nsys-rep");
  CHECK(with_files("a100x8", "ncu --set full -o prof ./app").writes[0].path == "/job/prof.ncu-rep");
}

TEST_CASE("sb checks its files and hosts and writes results") {
  CHECK(with_files("h100x8", "sb version").out == "\"0.12.0\"\n");
  CHECK(with_files("h100x8", "sb run -c config.yaml").exit == 1);
  CHECK(with_files("h100x8", "sb deploy -f host.ini").exit == 1);  // node2 is not there
  CHECK(with_files("h100x8-2n", "sb run -f host.ini -c config.yaml").exit == 0);
  CHECK(with_files("h100x8-2n", "sb run -f host.ini -c missing.yaml").exit == 1);
  CHECK(with_files("h100x8", "sb benchmark list --name nothing").exit == 1);
  CHECK(with_files("h100x8", "sb nonsense").exit == 2);
  const Outcome found = with_files(
      "h100x8", "sb result diagnosis -d data.jsonl -r rule.yaml -b base.json --output-file-format jsonl");
  REQUIRE(found.writes.size() == 1);
  CHECK(found.writes[0].path == "/job/diagnosis_summary.jsonl");
  CHECK(found.writes[0].content.find("\"index\":\"a\"") != std::string::npos);
  CHECK(found.writes[0].content.find("\"index\":\"b\"") == std::string::npos);
  // Rules that do not name the benchmark do not find it.
  const Outcome other = with_files(
      "h100x8", "sb result diagnosis -d data.jsonl -r other.yaml -b base.json --output-file-format jsonl");
  REQUIRE(other.writes.size() == 1);
  CHECK(other.writes[0].content.empty());
}

TEST_CASE("dcgmi remembers groups") {
  State state;
  CHECK(run_line("h100x8", "dcgmi group -c mine -a 0,1", state).exit == 0);
  CHECK(run_line("h100x8", "dcgmi dmon -g 2 -e 203,252 -c 1", state).out.find("GPU 1     0") !=
        std::string::npos);
  CHECK(run_line("h100x8", "dcgmi dmon -g 9 -e 203 -c 1", state).exit == 1);
  CHECK(run_line("h100x8", "dcgmi group -d 2", state).exit == 0);
  CHECK(state_diff(state) == "{}");
}

TEST_CASE("machine tools answer from the profile") {
  CHECK(with_files("h100x8", "modinfo -F version nvidia").out == "590.48.01\n");
  CHECK(with_files("h100x8", "dmesg").exit == 1);
  CHECK(with_files("h100x8", "sudo dmesg").out.find("Xid (PCI:0000:c3:00): 92") != std::string::npos);
  CHECK(with_files("h100x8", "lspci -d 10de:2330").out.find("1b:00.0 3D controller: NVIDIA Corporation") ==
        0);
  CHECK(with_files("h100x8", "ibstat -l").out.find("mlx5_0\nmlx5_1\n") == 0);
  CHECK(with_files("h100x8", "ib_write_bw -d mlx5_0 node2").exit == 1);
  CHECK(with_files("h100x8-2n", "ib_write_bw -d mlx5_0 -a --report_gbits node2").exit == 0);
  CHECK(with_files("l4x1", "ib_write_bw node2").exit == 1);
}

TEST_CASE("the bounded matcher agrees with what expressions mean") {
  CHECK(matches_regex("[a-z]+-bw", "mem-bw") == true);
  CHECK(matches_regex("[a-z]+-bw", "gpu-copy-bw") == false);
  CHECK(matches_regex("(a|bc)*d?", "abcabcd") == true);
  CHECK(matches_regex("^kernel.*$", "kernel-launch") == true);
  CHECK(matches_regex("\\w+\\d", "ab1") == true);
  CHECK(matches_regex("[^x]+", "axb") == false);
  CHECK(matches_regex("", "") == true);
  CHECK(matches_regex("(", "x") == std::nullopt);
  CHECK(matches_regex("*", "x") == std::nullopt);
  CHECK(matches_regex("(((((((((a*)*)*)*)*)*)*)*)*)*b", std::string(2'000, 'a')) == false);
}

TEST_CASE("the date is the machine's wherever the harness runs") {
  const char* zone = std::getenv("TZ");
  const std::string before = zone == nullptr ? "" : zone;
  setenv("TZ", "Asia/Tokyo", 1);
  tzset();
  CHECK(run_line("h100x8", "date +%s").out == "1736935200\n");
  CHECK(run_line("h100x8", "date +%H:%M:%S.%N_%Z_%%s%").out == "10:00:00.000000000_UTC_%s%\n");
  zone == nullptr ? unsetenv("TZ") : setenv("TZ", before.c_str(), 1);
  tzset();
}

}  // namespace micius::emu
