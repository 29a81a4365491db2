// How fast attention is at decode: one new token of each sequence over a context of random keys and values,
// in several layers, so that no cache holds what is read. Head settings are measured in turn, each repeat all
// of them and then a plain read of memory, so that they meet the same minutes of the machine.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/cpu.h"
#include "engine/kv_page.h"
#include "engine/memory_speed.h"
#include "engine/ops/attention.h"
#include "engine/thread_pool.h"

namespace micius {

// What is done with the keys and values of the new token.
enum class KvMode {
  kAppend,  // stored in the page behind the context
  kConcat,  // the context is copied into new memory first, as torch.cat does in HF's DynamicCache
};

struct AttentionTest {
  std::size_t context = 0;  // tokens before the new one
  std::size_t batch = 1;    // sequences
  std::size_t layers = 0;   // 0: so many that each setting's keys and values are 256 MB, at most 256
  KvMode mode = KvMode::kAppend;
  ValueSelection selection = {};
};

// Seconds of one step of all layers, by repeat.
struct AttentionTimes {
  std::vector<double> attention;  // the new token's K and V stored, and attended
  std::vector<double> copy;       // zeros under kAppend
};

struct AttentionResult {
  std::size_t layers = 0;
  std::vector<AttentionTimes> settings;
  // By setting: how far the selection is from all values, as the norm of the difference over that of the
  // outputs. Random scores hardly differ, so that this is about the worst that there is.
  std::vector<double> errors;
  std::vector<double> read;  // seconds of a plain read of read_bytes(), by repeat
};

// What a step must read in one layer, in f16: every K and V of the context and of the new token, or, with a
// selection, every K and the V of as many tokens as the q heads of a V head can select.
std::size_t kv_bytes(const AttentionShape& shape, const AttentionTest& test);

class AttentionBench {
 public:
  // read_bytes: of the plain read. threads: as thread_count() has it. Throws Error{kUsage} for no settings,
  // or one whose heads or dims attention does not have (K and V heads of 1 to n_q, at most 1024 of any
  // number).
  AttentionBench(std::vector<AttentionShape> settings, int threads, Isa isa,
                 std::size_t read_bytes = 256 << 20);

  const std::vector<AttentionShape>& settings() const { return settings_; }
  int threads() const { return pool_.threads(); }
  Isa isa() const { return isa_; }
  std::size_t read_bytes() const { return read_.bytes(); }
  // After one step of each setting that warms up. Holds the keys and values of all settings at once; throws
  // Error{kUsage} for a batch of 0 or sizes out of all reason, Error{kIo} if memory is short.
  AttentionResult run(const AttentionTest& test, int repeats);

 private:
  std::vector<AttentionShape> settings_;
  Isa isa_;
  ThreadPool pool_;
  MemoryRead read_;
};

}  // namespace micius
