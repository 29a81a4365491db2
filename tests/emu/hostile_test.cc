// Words of any kind end in an exit status, soon and in bounds; the same words always in the same one.
#include <thread>

#include <catch2/catch.hpp>

#include "base/hash.h"
#include "base/rng.h"
#include "emu/registry.h"
#include "emu/wire.h"
#include "emu_data.h"

namespace micius::emu {
namespace {

constexpr std::size_t kMessage = 1 << 20;
const char* const kMachines[] = {"h100x8", "a100x8-mig", "l4x1", "v100x8"};

void check_bounds(const Outcome& outcome) {
  CHECK(encode_outcome(outcome).size() <= kMessage);
  CHECK(outcome.exit >= 0);
  CHECK(outcome.exit <= 255);
}

Outcome run_root(const std::string& profile, Args argv) {
  State state;
  Call call;
  call.argv = std::move(argv);
  call.root = true;
  Outcome outcome = run_with(profile, state, call, {{"/job/f", "x"}});
  CHECK(is_valid_utf8(state_diff(state)));
  return outcome;
}

std::string random_word(Rng& rng) {
  std::string word;
  const std::size_t size = rng.below(12);
  for (std::size_t i = 0; i < size; ++i) word += static_cast<char>(rng.below(256));
  return word;
}

// Flags of the tables and values that tools expect, in no sensible order.
const std::vector<std::string>& pool() {
  static const std::vector<std::string> kPool = [] {
    std::vector<std::string> words{"0",     "-1",   "1",   "8",   "0,1",   "99999999999999999999",
                                   "a",     "f",    "all", "1,2", "nan",   "-",
                                   "--",    "=",    "",    "csv", "name",  "MEMORY",
                                   "1e308", "0x10", "1T",  "8G",  "./app", "node1:8",
                                   "mig",   "dmon", "run", "[",   "(a*)*"};
    for (const char* name :
         {"nvidia-smi", "nccl-tests", "nvcc", "sb", "dcgmi", "mpirun", "perftest", "nsys", "ncu", "lspci"}) {
      const CommandSpec& root = catalog().tool(name).root;
      const auto add = [&](const CommandSpec& command) {
        for (const OptionSpec& option : command.options)
          words.insert(words.end(), option.flags.begin(), option.flags.end());
      };
      add(root);
      for (const CommandSpec& child : root.subcommands) {
        words.push_back(child.name);
        add(child);
      }
    }
    for (const std::string& program : program_names("nvidia")) words.push_back(program);
    return words;
  }();
  return kPool;
}

}  // namespace

TEST_CASE("random words of every program end within bounds") {
  Rng rng("emu/fuzz");
  for (const std::string& program : program_names("nvidia"))
    for (int round = 0; round < 60; ++round) {
      Args argv{program};
      const std::size_t count = rng.below(6);
      for (std::size_t i = 0; i < count; ++i)
        argv.push_back(rng.below(4) == 0 ? random_word(rng) : pool()[rng.below(pool().size())]);
      INFO(join(argv, " "));
      check_bounds(run_root(kMachines[round % 4], std::move(argv)));
    }
}

TEST_CASE("very long and very many words are answered") {
  for (const std::string& program : program_names("nvidia")) {
    INFO(program);
    check_bounds(run_root("h100x8", {program, std::string((1 << 20) - 100, 'x')}));
    check_bounds(run_root("h100x8", {program, "-" + std::string((1 << 20) - 100, 'x')}));
    check_bounds(run_root("h100x8", {program, "--a=" + std::string(1 << 19, ',')}));
    Args many{program};
    many.resize(10'001, "-v");
    check_bounds(run_root("h100x8", std::move(many)));
  }
  CHECK(run_root("h100x8", {"nvidia-smi", std::string(1 << 20, 'x')}).exit == 126);
  CHECK(run_root("h100x8", Args(30'000, "nvidia-smi")).exit == 126);
  State state;
  CHECK(run(catalog().profile("h100x8"), state, Call{}).exit == 126);
}

TEST_CASE("every program answers on every machine") {
  for (const std::string& name : catalog().profile_names())
    for (const std::string& program : program_names(catalog().profile(name).platform))
      for (const char* word : {"", "-h", "--help", "--version", "-l", "-a", "0"}) {
        INFO(name << ": " << program << " " << word);
        check_bounds(run_root(name, *word == 0 ? Args{program} : Args{program, word}));
      }
}

TEST_CASE("programs inside programs do not multiply without end") {
  Args argv;
  for (int i = 0; i < 8; ++i)
    argv.insert(argv.end(), {"mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "1000"});
  argv.push_back("nproc");
  check_bounds(run_root("h100x8", argv));
  // A machine under many such calls remembers what ran, not its words.
  Args wide{"mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "1024", "nproc"};
  wide.insert(wide.end(), 4'000, "--ignore=1");
  State state;
  Call heavy;
  heavy.argv = wide;
  heavy.root = true;
  for (int call = 0; call < 20; ++call) {
    const Outcome outcome = run_with("h100x8", state, heavy);
    CHECK(outcome.err.find("too many programs inside each other") != std::string::npos);
  }
  CHECK(state.runs.size() == 2);
  CHECK(state.runs.at("mpirun") == 20);
  CHECK(state.runs.at("nproc") < 20 * 1'024);
  Args watches(14, "watch");
  watches.push_back("nproc");
  check_bounds(run_root("h100x8", watches));
}

// What each of these needed minutes or gigabytes for, or threw at.
TEST_CASE("a call costs no more than what it reads and prints") {
  const auto in = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  const auto list_of = [](std::size_t count, const std::string& before) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + before + std::to_string(i);
    return list;
  };
  const auto answer = [](const char* profile, const std::string& line, const Files& files = {}) {
    State state;
    Outcome outcome = run_line(profile, line, state, files);
    check_bounds(outcome);
    return outcome;
  };
  CHECK(in(answer("h100x8", "mpirun -np 2 -H " + list_of(60'000, "n") + " nproc").err, "n0"));

  Args sudo{"sudo"};
  sudo.resize(19'998, "A=1");
  sudo.push_back("nproc");
  CHECK(run_root("h100x8", sudo).exit == 0);

  std::string hosts = "localhost";
  for (int i = 1; i < 64; ++i) hosts += ",localhost";
  CHECK(
      answer("h100x8", "sb run --host-list " + hosts + " -C superbench.enable=" + list_of(10'000, "mem-bw:"))
          .exit == 0);

  std::string metrics = "{\"node\":7", baseline = "{\"z\":1";
  for (int i = 0; i < 30'000; ++i) metrics += ",\"m/" + std::to_string(i) + "\":1";
  metrics += "}\n";
  for (int i = 0; i < 2'000; ++i) baseline += ",\"m/" + std::to_string(i) + "\":1";
  std::string nodes;
  for (int i = 0; i < 999; ++i) nodes += "{}\n";
  const Files files = {
      {"/job/one", metrics}, {"/job/many", nodes}, {"/job/base", baseline + "}"}, {"/job/rule", ""}};
  CHECK(
      answer("h100x8", "sb result generate-baseline --data-file one --summary-rule-file rule", files).exit ==
      0);
  CHECK(answer("h100x8", "sb result summary --data-file one --rule-file rule", files).exit == 0);
  CHECK(
      in(answer("h100x8", "sb result diagnosis --data-file many --rule-file rule --baseline-file base", files)
             .err,
         "get baseline failed"));

  std::string sources;
  for (int i = 0; i < 300; ++i) sources += " f.cu";
  CHECK(in(answer("h100x8", "nvcc" + sources).err, "Too many input files"));
  CHECK(in(answer("mi300x8", "hipcc" + sources).err, "too many input files"));

  std::string devices = "0", columns = "memory", formats, counters;
  for (int i = 1; i < 256; ++i) devices += ",0";
  for (int i = 0; i < 20'000; ++i) columns += ",memory";
  for (int i = 0; i < 9'000; ++i) formats += " csv", counters += " a";
  answer("mi300x8", "mpirun -np 8 --oversubscribe rocm-bandwidth-test -s " + devices + " -d " + devices);
  answer("h100x8", "nvidia-smi --format=csv --query-supported-clocks=" + columns);
  answer("mi300x8", "rocprofv3 --kernel-trace --pmc" + counters + " -f" + formats + " -- nproc");
  CHECK(in(
      answer("h100x8", "mpirun -np 1000 --oversubscribe ncu --metrics " + list_of(9'000, "m") + " nproc").err,
      "too many programs inside each other"));
}

TEST_CASE("no time is too long for the clock") {
  const std::int64_t day = std::int64_t{86'400} * 1'000'000'000;
  State state;
  CHECK(
      run_line("h100x8", "all_reduce_perf -g 8 -b 4096G -e 4096G -n 1000000000 -w 1000000000", state).exit ==
      0);
  CHECK(state.virtual_ns > 365 * day);
  State other;
  CHECK(run_line("h100x8", "dcgmi dmon -e 155 -c 2 -d 9223372036854775807", other).exit == 0);
  CHECK(other.virtual_ns == day);
}

TEST_CASE("what a call remembers is bounded") {
  State state;
  for (int call = 0; call < 200; ++call) {
    Call one = call_of("all_reduce_perf -b 8 -e 8 -g 1");
    one.env["NCCL_ALGO"] = std::string(100'000, 'x') + std::to_string(call);
    run_with("h100x8", state, one);
  }
  std::size_t bytes = 0;
  for (const std::string& variable : state.env_read) bytes += variable.size();
  CHECK(bytes < 200 * 5'000);
}

TEST_CASE("a call that asks for files has done nothing") {
  State state;
  const Outcome asks = run(catalog().profile("h100x8"), state, call_of("watch -n 1 nvcc f.cu"));
  REQUIRE(asks.needs == std::vector<std::string>{"/job/f.cu"});
  CHECK(state.runs.empty());
  CHECK_FALSE(state.unbounded);
  CHECK(state.virtual_ns == 0);

  Call call = call_of("rocm-smi -d 0 --setperflevel high --load f");
  call.root = true;
  const Outcome loads = run(catalog().profile("mi300x8"), state, call);
  REQUIRE(loads.needs == std::vector<std::string>{"/job/f"});
  CHECK(state_diff(state) == "{}");
}

TEST_CASE("the same calls give the same bytes, in any thread") {
  const std::vector<std::string> lines = {"nvidia-smi",
                                          "nvidia-smi -q",
                                          "nvidia-smi -q -x",
                                          "nvidia-smi topo -m",
                                          "nvidia-smi dmon -c 3",
                                          "all_reduce_perf -b 8 -e 1G -f 2 -g 8",
                                          "sudo nvidia-smi -pl 400",
                                          "nvidia-smi mig -lgip",
                                          "sb node info",
                                          "dcgmi diag -r 3",
                                          "lspci -vvv",
                                          "nvbandwidth",
                                          "date",
                                          "numactl -H"};
  const auto hash = [&] {
    State state;
    std::string text;
    for (const std::string& line : lines) text += encode_outcome(run_line("h100x8", line, state));
    return sha256_hex(text + state_diff(state));
  };
  const std::string first = hash();
  std::vector<std::string> others(4);
  std::vector<std::thread> threads;
  for (std::string& other : others)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const std::string again = hash();
        if (other.empty() || again != first) other = again;
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& other : others) CHECK(other == first);
}

}  // namespace micius::emu
