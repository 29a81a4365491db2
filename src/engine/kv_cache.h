// Keys and values of token sequences, in pages of 64 tokens that sequences can share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/kv_page.h"
#include "engine/tensor.h"

namespace micius {

// Where a pool's blocks are: in this machine's memory, or a GPU's.
class KvMemory {
 public:
  virtual ~KvMemory() = default;
  // So many bytes more, zeroed, for as long as this lives. Throws Error{kIo} if there is no memory.
  virtual std::byte* add(std::size_t bytes) = 0;
  virtual void zero(std::byte* to, std::size_t bytes) = 0;
  virtual void copy(std::byte* to, const std::byte* from, std::size_t bytes) = 0;
};

// Memory for pages. The unit is a block: one page of every layer, for the same 64 tokens. Blocks are counted
// by the sequences that hold them. For one thread.
class KvPool {
 public:
  // Takes memory as it is needed, at most `budget_bytes` (but always room for one block).
  KvPool(const KvLayout& layout, std::size_t layers, std::size_t budget_bytes);
  // Takes all of the budget at once, for pages of so many bytes, a multiple of 64, that a device has a layout
  // for: layer l's page of block b is the page b * layers + l of that memory.
  KvPool(std::unique_ptr<KvMemory> memory, std::size_t page_bytes, std::size_t layers,
         std::size_t budget_bytes);
  KvPool(const KvPool&) = delete;
  KvPool& operator=(const KvPool&) = delete;

  const KvLayout& layout() const { return layout_; }  // of the CPU
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
  std::unique_ptr<KvMemory> memory_;
  std::size_t layers_, block_bytes_, capacity_, slab_blocks_;
  std::vector<std::byte*> slabs_;       // slab_blocks_ blocks each, the last one fewer
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
  std::span<const std::uint32_t> blocks() const { return blocks_; }  // their numbers in the pool

 private:
  void append(KvPool::Block block);
  void clear();

  KvPool* pool_;
  std::size_t length_ = 0;
  std::vector<KvPool::Block> blocks_;
  std::vector<std::vector<std::byte*>> pages_;  // [layers][blocks]
};

}  // namespace micius
