// Keys and values of token sequences, in pages of 64 tokens that sequences can share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/kv_page.h"
#include "engine/tensor.h"

namespace micius {

// Memory for pages. The unit is a block: one page of every layer, for the same 64 tokens. Blocks are counted
// by the sequences that hold them. For one thread.
class KvPool {
 public:
  // Takes memory as it is needed, at most `budget_bytes` (but always room for one block).
  KvPool(const KvLayout& layout, std::size_t layers, std::size_t budget_bytes);
  KvPool(const KvPool&) = delete;
  KvPool& operator=(const KvPool&) = delete;

  const KvLayout& layout() const { return layout_; }
  std::size_t layers() const { return layers_; }
  std::size_t block_bytes() const { return block_bytes_; }
  std::size_t capacity() const { return capacity_; }  // blocks
  std::size_t used() const { return holders_.size() - free_.size(); }
  static std::size_t blocks_for(std::size_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

 private:
  friend class KvSequence;
  using Block = std::uint32_t;

  enum class Fill { kZero, kAny };
  Block take(Fill fill);  // held once; throws Error{kUsage} if all are in use
  void hold(Block block) { ++holders_[block]; }
  void release(Block block);
  std::byte* page(Block block, std::size_t layer) const;

  KvLayout layout_;
  std::size_t layers_, block_bytes_, capacity_, slab_blocks_;
  std::vector<Buffer> slabs_;           // slab_blocks_ blocks each
  std::vector<std::uint32_t> holders_;  // by block
  std::vector<Block> free_;             // used before, to be zeroed
};

// The cache of one sequence; gives its blocks back when it goes. Must not outlive its pool.
class KvSequence {
 public:
  explicit KvSequence(KvPool& pool);
  ~KvSequence();
  KvSequence(KvSequence&& other) noexcept;
  KvSequence& operator=(KvSequence&& other) noexcept;
  KvSequence(const KvSequence&) = delete;
  KvSequence& operator=(const KvSequence&) = delete;

  const KvLayout& layout() const { return pool_->layout(); }
  std::size_t length() const { return length_; }
  // Room for `tokens` more, which count as there from now on. Throws Error{kUsage} if the pool is empty.
  void extend(std::size_t tokens);
  // A sequence with the first `tokens` tokens of this one (at most length()): full blocks are shared, a block
  // that is used in part is copied.
  KvSequence fork(std::size_t tokens) const;
  // The pages of one layer, in order. Valid until the next call of extend.
  std::span<std::byte* const> pages(std::size_t layer) const { return pages_[layer]; }

 private:
  void append(KvPool::Block block);
  void clear();

  KvPool* pool_;
  std::size_t length_ = 0;
  std::vector<KvPool::Block> blocks_;
  std::vector<std::vector<std::byte*>> pages_;  // [layers][blocks]
};

}  // namespace micius
