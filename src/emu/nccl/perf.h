// The `*_perf` programs of nccl-tests and rccl-tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emu/host.h"
#include "emu/nccl/model.h"

namespace micius::emu {

// What the words of a test ask for.
struct PerfPlan {
  std::string program;  // "all_reduce_perf"
  std::int64_t threads = 1, gpus = 1;
  std::int64_t min_bytes = 32 << 20, max_bytes = 32 << 20, step_bytes = 1 << 20, step_factor = 1;
  std::int64_t iterations = 20, warmup = 1, aggregated = 1, cycles = 1, check = 1, graph = 0, unalign = 0;
  std::vector<std::string> operations, types;
  std::int64_t root = 0;  // -1: all
  std::int64_t processes = 1, hosts = 1;
  std::string output_file;
  std::int64_t time_percent = 100;  // what options beside the sizes cost
  bool timestamps = false, memory = false, per_iteration = false;
  std::int64_t ranks() const { return processes * threads * gpus; }
};

// How the two families differ; the tables, the sizes and the rows are common.
struct PerfFlavour {
  const char* table;     // name of the option table
  std::int64_t warmup;   // when -w is not given
  const char* type_8_3;  // the names of the two 8 bit float types
  const char* type_8_2;
  const char* columns;                                   // the heads of the table
  int wrong_width;                                       // of the column of wrong values
  void (*adjust)(const Parsed& parsed, PerfPlan& plan);  // options that only this family has
  void (*head)(Host& host, const PerfPlan& plan);        // all that comes before the column heads
  void (*log)(Host& host, const PerfPlan& plan);  // what NCCL_DEBUG and the dump variables ask of the library
  void (*foot)(Host& host, const PerfPlan& plan, double average_busbw);
  std::string (*too_many_gpus)(std::int64_t wanted, std::size_t there);
};

int run_perf(Host& host, const Args& args, const PerfFlavour& flavour);

int run_nccl_perf(Host& host, const Args& args);

// What NCCL_DEBUG and the dump variables ask of NCCL or RCCL.
void print_library_log(Host& host, const PerfPlan& plan);

// Where a rank of the plan runs: its host's name and its device there.
struct RankPlace {
  std::string host;
  std::int64_t device;
};
RankPlace rank_place(Host& host, const PerfPlan& plan, std::int64_t rank);

}  // namespace micius::emu
