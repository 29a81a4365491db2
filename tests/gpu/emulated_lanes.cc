#include "gpu/emulated_lanes.h"

#include <fmt/format.h>

#include "engine/quant.h"

namespace micius::emulation {
namespace {

struct Matrices {
  SharedAddress address;
  std::uint32_t* r;
};

struct Product {
  float* c;
  const std::uint32_t* a;
  const std::uint32_t* b;
  float (*widen)(std::uint16_t);
};

std::uint16_t half_of(std::uint32_t r, unsigned which) { return static_cast<std::uint16_t>(r >> 16 * which); }

}  // namespace

template <>
float EmulatedLanes::widen<F16>(std::uint16_t bits) {
  return f16_to_f32(bits);
}
template <>
float EmulatedLanes::widen<BF16>(std::uint16_t bits) {
  return bf16_to_f32(bits);
}
template <>
std::uint16_t EmulatedLanes::narrow<F16>(float value) {
  return f32_to_f16(value);
}
template <>
std::uint16_t EmulatedLanes::narrow<BF16>(float value) {
  return f32_to_bf16(value);
}

bool EmulatedLanes::any(bool value) {
  struct Vote {
    bool value, result;
  } mine{value, false};
  block_.together(thread_, "any", &mine, [](EmulatedBlock&, void* const(&brought)[32]) {
    bool result = false;
    for (void* each : brought) result = result || static_cast<Vote*>(each)->value;
    for (void* each : brought) static_cast<Vote*>(each)->result = result;
  });
  return mine.result;
}

// A lane's row is read by all; the lane that names it answers for it.
void EmulatedLanes::read_matrix_row(SharedAddress a) { block_.shared_.check_read(thread_, a, 16); }

void EmulatedLanes::load_matrices(std::uint32_t (&r)[4], SharedAddress a) {
  read_matrix_row(a);
  Matrices mine{a, r};
  block_.together(thread_, "load_matrices", &mine, [](EmulatedBlock& block, void* const(&brought)[32]) {
    for (unsigned lane = 0; lane < 32; ++lane) {
      for (unsigned i = 0; i < 4; ++i) {
        const SharedAddress row = static_cast<Matrices*>(brought[8 * i + lane / 4])->address;
        std::memcpy(&static_cast<Matrices*>(brought[lane])->r[i], block.shared_.data(row + lane % 4 * 4), 4);
      }
    }
  });
}

void EmulatedLanes::load_matrices_transposed(std::uint32_t (&r)[4], SharedAddress a) {
  read_matrix_row(a);
  Matrices mine{a, r};
  block_.together(
      thread_, "load_matrices_transposed", &mine, [](EmulatedBlock& block, void* const(&brought)[32]) {
        for (unsigned lane = 0; lane < 32; ++lane) {
          for (unsigned i = 0; i < 4; ++i) {
            std::uint16_t values[2];
            for (unsigned j = 0; j < 2; ++j) {
              const SharedAddress row = static_cast<Matrices*>(brought[8 * i + lane % 4 * 2 + j])->address;
              std::memcpy(&values[j], block.shared_.data(row + lane / 4 * 2), 2);
            }
            static_cast<Matrices*>(brought[lane])->r[i] = values[0] | std::uint32_t{values[1]} << 16;
          }
        }
      });
}

std::uint32_t EmulatedLanes::transpose(std::uint32_t r) {
  struct Pair {
    std::uint32_t value, result;
  } mine{r, 0};
  block_.together(thread_, "transpose", &mine, [](EmulatedBlock&, void* const(&brought)[32]) {
    const auto value = [&](unsigned row, unsigned column) {
      return half_of(static_cast<Pair*>(brought[4 * row + column / 2])->value, column % 2);
    };
    for (unsigned lane = 0; lane < 32; ++lane) {
      const unsigned row = lane / 4, column = lane % 4 * 2;
      static_cast<Pair*>(brought[lane])->result = value(column, row) | std::uint32_t{value(column + 1, row)}
                                                                           << 16;
    }
  });
  return mine.result;
}

// Operands as PTX lays them out among lanes for m16n8k16.
void EmulatedLanes::multiply_values(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                                    const char* what, Widen to_float) {
  Product mine{c, a, b, to_float};
  block_.together(thread_, what, &mine, [](EmulatedBlock&, void* const(&brought)[32]) {
    float left[16][16], right[16][8];
    for (unsigned lane = 0; lane < 32; ++lane) {
      const Product& p = *static_cast<Product*>(brought[lane]);
      const unsigned group = lane / 4, pair = lane % 4 * 2;
      for (unsigned j = 0; j < 2; ++j) {
        for (unsigned i = 0; i < 4; ++i)
          left[group + i % 2 * 8][pair + j + i / 2 * 8] = p.widen(half_of(p.a[i], j));
        for (unsigned i = 0; i < 2; ++i) right[pair + j + i * 8][group] = p.widen(half_of(p.b[i], j));
      }
    }
    for (unsigned lane = 0; lane < 32; ++lane) {
      const Product& p = *static_cast<Product*>(brought[lane]);
      for (unsigned i = 0; i < 4; ++i) {
        const unsigned row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        float sum = 0;
        for (unsigned k = 0; k < 16; ++k) sum += left[row][k] * right[k][column];
        p.c[i] += sum;
      }
    }
  });
}

void EmulatedLanes::copy_async(SharedAddress a, const void* p) {
  block_.read_global(thread_, p, 16, GlobalOrder::Read::kFresh);
  block_.shared_.begin_copy(thread_, a, 16);
  block_.copies_[thread_].groups.back().push_back({a, p});
}

void EmulatedLanes::barrier_init(SharedAddress a, unsigned arrivals) {
  block_.shared_.check_write(thread_, a, 8);
  const auto agent = block_.grid_.threads + static_cast<unsigned>(block_.copy_barriers_.size());
  if (block_.copy_barriers_.size() >= EmulatedBlock::kBarriers) throw KernelFault("too many barriers");
  const Clock nothing(block_.shared_.clock(0).size());
  block_.copy_barriers_[a] = {agent, arrivals, arrivals, 0, 0, nothing, nothing};
}

void EmulatedLanes::barrier_wait(SharedAddress a, unsigned parity) {
  EmulatedBlock::CopyBarrier& barrier = block_.barrier_at(a);
  while (barrier.phase % 2 == parity) block_.fibers_->wait(barrier.phase, barrier.phase);
  SharedMemory::join(block_.shared_.clock(thread_), barrier.over);
}

void EmulatedLanes::copy_bulk(SharedAddress a, const void* p, unsigned bytes, SharedAddress barrier) {
  if (bytes % 16 != 0 || a % 16 != 0) {
    throw KernelFault(fmt::format("a bulk copy of {} bytes to {}: not multiples of 16", bytes, a));
  }
  block_.read_global(thread_, p, bytes, GlobalOrder::Read::kFresh);
  block_.shared_.begin_copy(thread_, a, bytes);
  const EmulatedBlock::BulkCopy copy{a, p, bytes, barrier};
  if (block_.arrival_ == Arrival::kEarly) {
    block_.deliver(copy);
  } else {
    block_.under_way_.push_back(copy);
  }
}

}  // namespace micius::emulation
