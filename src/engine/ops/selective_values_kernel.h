// The second kernel of selective V, over the device layer.
#pragma once

#include <bit>

#include "engine/device/lanes.h"
#include "engine/ops/attention_device.h"
#include "engine/ops/selective_attention.h"

namespace micius {

// Floats as integers of the same order.
MICIUS_KERNEL std::uint32_t key_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return bits >> 31 == 0 ? bits | 0x80000000U : ~bits;
}
MICIUS_KERNEL float value_of(std::uint32_t key) {
  return std::bit_cast<float>(key >> 31 != 0 ? key & 0x7fffffffU : ~key);
}

// What all threads of a block find out together.
template <typename D>
class BlockOf {
 public:
  static constexpr unsigned kThreads = 32 * kSelectWarps;

  // sums: room for two values of 8 bytes of each warp.
  MICIUS_KERNEL BlockOf(D& d, SharedAddress sums) : d_(d), sums_(sums) {}

  // Every thread's value as one, in an order that never changes.
  template <typename T, typename Op>
  MICIUS_KERNEL T reduce(T value, const Op& op) {
    for (unsigned mask = 1; mask < 32; mask *= 2) value = op(value, d_.shuffle_xor(value, mask));
    // Who writes has passed a barrier behind which nobody reads what was written two calls ago.
    turn_ ^= 1U;
    const SharedAddress at = sums_ + turn_ * 8 * kSelectWarps;
    if (d_.lane() == 0) d_.shared_store(at + 8 * d_.warp(), value);
    d_.sync_block();
    T all = d_.template shared_load<T>(at);
    for (unsigned warp = 1; warp < kSelectWarps; ++warp) {
      all = op(all, d_.template shared_load<T>(at + 8 * warp));
    }
    return all;
  }
  // The sum of the values of the threads before this one.
  MICIUS_KERNEL std::uint32_t sum_before(std::uint32_t value) {
    std::uint32_t sum = value;
    for (unsigned step = 1; step < 32; step *= 2) {
      const std::uint32_t other = d_.shuffle(sum, (d_.lane() - step) % 32);
      if (d_.lane() >= step) sum += other;
    }
    turn_ ^= 1U;
    const SharedAddress at = sums_ + turn_ * 8 * kSelectWarps;
    if (d_.lane() == 31) d_.shared_store(at + 8 * d_.warp(), sum);
    d_.sync_block();
    for (unsigned warp = 0; warp < d_.warp(); ++warp)
      sum += d_.template shared_load<std::uint32_t>(at + 8 * warp);
    return sum - value;
  }

  // Writes the places of the `top` largest of `count` keys, rising; of equal ones the first. All threads see
  // them at the end.
  MICIUS_KERNEL void choose(SharedAddress keys, unsigned count, unsigned top, SharedAddress chosen) {
    const std::uint32_t least = least_chosen(keys, count, top);
    const unsigned each = (count + kThreads - 1) / kThreads, begin = d_.thread() * each;
    const unsigned end = begin + each < count ? begin + each : count;
    unsigned above = 0, equal = 0;
    for (unsigned i = begin; i < end; ++i) {
      const auto key = d_.template shared_load<std::uint32_t>(keys + 4 * i);
      above += key > least ? 1 : 0;
      equal += key == least ? 1 : 0;
    }
    const auto plus = [](std::uint32_t x, std::uint32_t y) { return x + y; };
    const unsigned wanted = top - reduce(above, plus);  // of those that equal the least
    unsigned equal_before = sum_before(equal);
    unsigned at = sum_before(above) + (equal_before < wanted ? equal_before : wanted);
    for (unsigned i = begin; i < end; ++i) {
      const auto key = d_.template shared_load<std::uint32_t>(keys + 4 * i);
      const bool taken = key > least || (key == least && equal_before < wanted);
      if (key == least) ++equal_before;
      if (taken) d_.shared_store(chosen + 4 * at++, i);
    }
    d_.sync_block();
  }

 private:
  // The `top`-th largest key, two bits at a time: the largest value that so many keys reach.
  MICIUS_KERNEL std::uint32_t least_chosen(SharedAddress keys, unsigned count, unsigned top) {
    constexpr unsigned kField = 21;  // bits of a count: of three next values
    std::uint32_t least = 0;
    for (unsigned shift = 32; shift > 0;) {
      shift -= 2;
      std::uint64_t reached = 0;
      for (unsigned i = d_.thread(); i < count; i += kThreads) {
        const auto key = d_.template shared_load<std::uint32_t>(keys + 4 * i);
        for (std::uint32_t next = 1; next < 4; ++next) {
          reached += std::uint64_t{key >= (least | next << shift) ? 1U : 0U} << (next - 1) * kField;
        }
      }
      reached = reduce(reached, [](std::uint64_t x, std::uint64_t y) { return x + y; });
      std::uint32_t bits = 0;
      for (; bits < 3 && (reached & ((1U << kField) - 1)) >= top; reached >>= kField) ++bits;
      least |= bits << shift;
    }
    return least;
  }

  D& d_;
  SharedAddress sums_;
  unsigned turn_ = 0;
};

// One q head of one sequence.
template <typename D, typename T, int kVTiles>
class SelectedValues {
 public:
  MICIUS_KERNEL SelectedValues(D& d, const SelectiveArgs& args, const SelectItem& item, unsigned sequence,
                               unsigned q)
      : d_(d),
        args_(args),
        item_(item),
        shared_(args.layout, args.top, args.most_parts),
        block_(d, shared_.sums),
        first_part_(item.begin / kPartTokens),
        parts_((item.end - 1) / kPartTokens + 1 - first_part_),
        place_(std::size_t{q} * args.parts + item.place),
        out_(args.out + (std::size_t{sequence} * args.layout.n_q + q) * args.layout.d_v) {
    const DecodeLayout& layout = args.layout;
    const unsigned v_head = q * layout.n_v / layout.n_q;
    group_ = v_head / layout.v_heads * layout.group_bytes();
    tile_ = layout.v_tile(v_head % layout.v_heads);
  }

  MICIUS_KERNEL void run() {
    choose();
    const float total = weigh();
    add_values();
    d_.sync_block();
    for (unsigned dim = d_.thread(); dim < args_.layout.d_v; dim += kThreads) {
      float sum = 0;
      for (unsigned warp = 0; warp < kSelectWarps; ++warp) {
        sum += d_.template shared_load<float>(shared_.out + 4 * (warp * kRow + dim));
      }
      d_.store(out_ + dim, sum / total);
    }
  }

 private:
  static constexpr unsigned kThreads = 32 * kSelectWarps;
  static constexpr unsigned kRow = 16 * kVTiles, kPairs = kRow / 2;        // dims
  static constexpr unsigned kLanes = kPairs < 32 ? kPairs : 32;            // that read one row together
  static constexpr unsigned kRows = 32 / kLanes, kEach = kPairs / kLanes;  // rows of a warp, pairs of a lane

  MICIUS_KERNEL void choose() {
    for (unsigned i = d_.thread(); i < parts_; i += kThreads) {
      d_.shared_store(4 * i, key_of(d_.load_fresh(args_.maxima + 2 * (place_ + i))));
    }
    d_.sync_block();
    const unsigned parts = args_.top < parts_ ? args_.top : parts_;
    block_.choose(0, parts_, parts, shared_.parts);
    for (unsigned i = d_.thread(); i < parts * kPartTokens; i += kThreads) {
      const float value =
          d_.load_fresh(args_.scores + (place_ + part(i / kPartTokens)) * kPartTokens + i % kPartTokens);
      d_.shared_store(shared_.candidates + 4 * i, key_of(value));
    }
    d_.sync_block();
    const unsigned seen = item_.end - item_.begin;
    count_ = args_.top < seen ? args_.top : seen;
    block_.choose(shared_.candidates, parts * kPartTokens, count_, shared_.chosen);
  }
  // Writes weights relative to the largest score, and returns the sum that they are parts of.
  MICIUS_KERNEL float weigh() {
    float most = kMinusInfinity;
    for (unsigned i = d_.thread(); i < count_; i += kThreads) most = larger(most, score(i));
    most = block_.reduce(most, [](float x, float y) { return larger(x, y); });
    float sum = 0;
    for (unsigned i = d_.thread(); i < count_; i += kThreads) {
      const float weight = d_.exp2(score(i) - most);
      d_.shared_store(shared_.weights + 4 * i, weight);
      sum += weight;
    }
    if (args_.weights == SelectedWeights::kRaw) {
      sum = 0;
      for (unsigned i = d_.thread(); i < parts_; i += kThreads) {
        const Float2 of_part = d_.load_fresh2(args_.maxima + 2 * (place_ + i));
        sum += of_part.y * d_.exp2(of_part.x - most);
      }
    }
    return block_.reduce(sum, [](float x, float y) { return x + y; });
  }
  // Each warp adds some of the chosen rows; its sums go to shared memory.
  MICIUS_KERNEL void add_values() {
    float sums[kEach][2] = {};
    const unsigned lane = d_.lane();
    for (unsigned i = d_.warp() * kRows + lane / kLanes; i < count_; i += kSelectWarps * kRows) {
      const float weight = d_.template shared_load<float>(shared_.weights + 4 * i);
      const unsigned position = position_of(i), token = position % kPartTokens;
      const std::uint32_t page = d_.load_fresh(args_.table + item_.first_page + position / kPageTokens);
      const std::byte* const from = args_.pages + page * args_.layout.page_bytes() + group_ +
                                    position % kPageTokens / kPartTokens * args_.layout.part_bytes;
      for (unsigned j = 0; j < kEach; ++j) {
        const unsigned pair = lane % kLanes + j * kLanes;
        const auto values = d_.load_fresh(reinterpret_cast<const std::uint32_t*>(
            from + swizzled(tile_ + token * args_.layout.v_row() + 4 * pair)));
        sums[j][0] += weight * d_.template first<T>(values);
        sums[j][1] += weight * d_.template second<T>(values);
      }
    }
    for (unsigned j = 0; j < kEach; ++j) {
      for (unsigned k = 0; k < 2; ++k) {
        for (unsigned mask = kLanes; mask < 32; mask *= 2) sums[j][k] += d_.shuffle_xor(sums[j][k], mask);
        const unsigned dim = 2 * (lane % kLanes + j * kLanes) + k;
        if (lane < kLanes) d_.shared_store(shared_.out + 4 * (d_.warp() * kRow + dim), sums[j][k]);
      }
    }
  }

  // Of the chosen parts and tokens, by their number.
  MICIUS_KERNEL std::uint32_t part(unsigned i) const {
    return d_.template shared_load<std::uint32_t>(shared_.parts + 4 * i);
  }
  MICIUS_KERNEL std::uint32_t candidate(unsigned i) const {
    return d_.template shared_load<std::uint32_t>(shared_.chosen + 4 * i);
  }
  MICIUS_KERNEL float score(unsigned i) const {
    return value_of(d_.template shared_load<std::uint32_t>(shared_.candidates + 4 * candidate(i)));
  }
  MICIUS_KERNEL unsigned position_of(unsigned i) const {
    const std::uint32_t at = candidate(i);
    return (first_part_ + part(at / kPartTokens)) * kPartTokens + at % kPartTokens;
  }

  D& d_;
  const SelectiveArgs& args_;
  const SelectItem& item_;
  SelectShared shared_;
  BlockOf<D> block_;
  unsigned first_part_, parts_;
  std::size_t place_;
  float* out_;
  unsigned group_ = 0, tile_ = 0;  // in a page, in a part
  unsigned count_ = 0;             // of chosen tokens
};

// A block for each (sequence, q head).
template <typename D, typename T, int kVTiles>
MICIUS_KERNEL void select_values(D& d, const SelectiveArgs& args) {
  d.start_next();
  d.wait_for_previous();
  const unsigned sequence = d.block() / args.layout.n_q, q = d.block() % args.layout.n_q;
  const SelectItem* const i = args.items + sequence;
  const SelectItem item{d.load(&i->first_page), d.load(&i->begin), d.load(&i->end), d.load(&i->place)};
  SelectedValues<D, T, kVTiles>(d, args, item, sequence, q).run();
}

}  // namespace micius
