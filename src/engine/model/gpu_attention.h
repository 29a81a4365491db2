// Attention of a batch's rows on a GPU: which kernels, over which rows.
//
// Single new tokens take the decode kernel; of those that begin alike the common pages are read once for all
// (SharedPrefix). Prompts and chunks of them take the prefill kernel, a few tokens behind a long context
// split over several blocks; rows with selective V take the two of theirs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/device/device_parcel.h"
#include "engine/ops/decode_attention.h"
#include "engine/ops/prefill_attention.h"
#include "engine/ops/shared_prefix.h"
#include "engine/ops/value_selection.h"

namespace micius {

// New tokens of one sequence: the rows of the batch from first_row on.
struct BatchSequence {
  std::uint32_t first_page = 0;  // where its page numbers begin in the list of them
  std::uint32_t first_row = 0, tokens = 0;
  std::uint32_t first_position = 0;
  ValueSelection selection = {};
};

// Memory that kernels need beside their results: one layer after the other uses it.
struct AttentionRoom {
  DeviceArray<float> partials, sums;      // of decode attention
  DeviceArray<std::uint32_t> tickets;     // zeros between kernels
  DeviceArray<float> part_out, part_lse;  // of rows that several blocks attend to
  DeviceArray<float> scores, maxima;      // of selective V
};

// Bytes of it at most, while no row sees more than `positions`: of any batch, and of each of its tokens.
struct AttentionRoomBytes {
  std::size_t batch = 0, token = 0;
};
AttentionRoomBytes attention_room_bytes(const DecodeLayout& layout, const GpuFigures& figures,
                                        const ValueSelection& selection, std::size_t positions);

// What a layer's attention reads and writes; rows are contiguous.
struct AttentionMemory {
  const float* q = nullptr;              // [rows, n_q, d_k], RoPE applied, not scaled
  const std::byte* pages = nullptr;      // of the layer
  const std::uint32_t* table = nullptr;  // page numbers of all sequences
  float* out = nullptr;                  // [rows, n_q, d_v]
};

// For layers with one window; 0: none.
class GpuAttention {
 public:
  // Borrows device and room. Throws Error{kUnsupported} where the device has too little shared memory for the
  // heads of `layout`.
  GpuAttention(Device& device, const DecodeLayout& layout, std::size_t window, AttentionRoom& room);

  std::size_t window() const { return window_; }
  // Sequences in the order of their rows: first those of one token without selective V, then the others
  // without, then those with it, equal selections together. What the kernels are to be told goes to `parcel`.
  void plan(std::span<const BatchSequence> sequences, std::span<const std::uint32_t> table,
            DeviceParcel& parcel);
  // Of a layer, behind those that are in `kernels`; `parcel` has been sent.
  void add_kernels(const AttentionMemory& memory, const DeviceParcel& parcel,
                   std::vector<Kernel>& kernels) const;

 private:
  template <typename T>
  using Part = DeviceParcel::Part<T>;
  struct Decode {
    std::uint32_t blocks = 0;
    Part<DecodeSegment> segments;
  };
  struct Prefill {
    std::uint32_t blocks = 0, cell_count = 0;
    Part<PrefillToken> tokens;
    Part<PrefillCell> cells;
    Part<PrefillTile> tiles;
  };
  struct Merge {  // of rows whose parts are in the room, from first_row on
    std::uint32_t first_row = 0, rows = 0;
    Part<std::uint32_t> first, parts;
  };
  struct Shared {  // beginnings of the rows that the decode kernel takes
    Prefill beginnings;
    std::uint32_t first_suffix = 0;
    Merge merge;
  };
  struct Selective {
    ValueSelection selection;
    std::uint32_t first_row = 0, rows = 0, chunks = 0;
    std::uint32_t parts = 0, most_parts = 0;
    Part<ScoreChunk> chunk_list;
    Part<SelectItem> items;
  };

  DecodeSequence seen_by(const BatchSequence& sequence, std::uint32_t token) const;
  void plan_decode(std::span<const BatchSequence> sequences, std::span<const std::uint32_t> table,
                   DeviceParcel& parcel);
  Shared share(std::span<const SharedPrefix> prefixes, std::uint32_t rows, DeviceParcel& parcel);
  void plan_prefill(std::span<const BatchSequence> sequences, DeviceParcel& parcel);
  std::uint32_t splits(const BatchSequence& sequence, std::size_t sequences) const;
  void reserve_parts(std::size_t rows);
  Prefill send_prefill(std::span<const PrefillToken> tokens, const PrefillPlan& plan,
                       DeviceParcel& parcel) const;
  void plan_selective(std::span<const BatchSequence> sequences, DeviceParcel& parcel);
  void add_selective(const ValueSelection& selection, std::uint32_t first_row,
                     std::span<const DecodeSequence> rows, DeviceParcel& parcel);

  PrefillLaunch prefill(const Prefill& work, const AttentionMemory& memory, const DeviceParcel& parcel) const;
  DecodeLaunch decode(const AttentionMemory& memory, const DeviceParcel& parcel) const;
  MergeLaunch merge(const Merge& work, const AttentionMemory& memory, const DeviceParcel& parcel) const;
  SelectiveLaunch selective(const Selective& work, const AttentionMemory& memory,
                            const DeviceParcel& parcel) const;

  Device& device_;
  DecodeLayout layout_;
  DecodeTuning decode_tuning_;
  PrefillTuning prefill_tuning_;
  std::size_t window_;
  AttentionRoom& room_;

  // Of the batch; absent or empty: it has no such rows.
  std::optional<Decode> decode_;
  std::optional<Shared> shared_;
  std::optional<Prefill> prefill_;
  std::optional<Merge> prefill_merge_;
  std::vector<Selective> selective_;
};

}  // namespace micius
