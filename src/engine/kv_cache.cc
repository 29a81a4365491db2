#include "engine/kv_cache.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/format.h"

namespace micius {
namespace {

constexpr std::size_t kSlabBytes = 128 << 20;  // what the last huge page of each wastes is little

class HostMemory : public KvMemory {
 public:
  std::byte* add(std::size_t bytes) override { return buffers_.emplace_back(bytes).data(); }
  void zero(std::byte* to, std::size_t bytes) override { std::memset(to, 0, bytes); }
  void copy(std::byte* to, const std::byte* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }

 private:
  std::vector<Buffer> buffers_;
};

}  // namespace

KvPool::KvPool(const KvLayout& layout, std::size_t layers, std::size_t budget_bytes)
    : layout_(layout),
      memory_(std::make_unique<HostMemory>()),
      layers_(layers),
      block_bytes_(layers * ((layout.page_bytes() + 63) / 64 * 64)),
      capacity_(std::max<std::size_t>(budget_bytes / block_bytes_, 1)),
      slab_blocks_(std::clamp<std::size_t>(kSlabBytes / block_bytes_, 1, capacity_)) {}

KvPool::KvPool(std::unique_ptr<KvMemory> memory, std::size_t page_bytes, std::size_t layers,
               std::size_t budget_bytes)
    : memory_(std::move(memory)),
      layers_(layers),
      block_bytes_(layers * page_bytes),
      capacity_(std::max<std::size_t>(budget_bytes / block_bytes_, 1)),
      slab_blocks_(capacity_),
      slabs_{memory_->add(capacity_ * block_bytes_)} {}

KvPool::Block KvPool::take(Fill fill) {
  if (!free_.empty()) {
    const Block block = free_.back();
    free_.pop_back();
    if (fill == Fill::kZero) memory_->zero(page(block, 0), block_bytes_);
    holders_[block] = 1;
    return block;
  }
  if (holders_.size() == capacity_) {
    fail(ErrorCode::kUsage, "the KV cache is full ({}); allow it more with --kv-memory",
         format_bytes(capacity_ * block_bytes_));
  }
  if (holders_.size() == slabs_.size() * slab_blocks_) {
    const std::size_t blocks = std::min(slab_blocks_, capacity_ - holders_.size());
    slabs_.push_back(memory_->add(blocks * block_bytes_));
  }
  holders_.push_back(1);
  return static_cast<Block>(holders_.size() - 1);
}

void KvPool::release(Block block) {
  if (--holders_[block] == 0) free_.push_back(block);
}

std::byte* KvPool::page(Block block, std::size_t layer) const {
  std::byte* const start = slabs_[block / slab_blocks_] + block % slab_blocks_ * block_bytes_;
  return start + layer * (block_bytes_ / layers_);
}

KvSequence::KvSequence(KvPool& pool) : pool_(&pool), pages_(pool.layers()) {}

KvSequence::~KvSequence() { clear(); }

KvSequence::KvSequence(KvSequence&& other) noexcept
    : pool_(other.pool_),
      length_(std::exchange(other.length_, 0)),
      blocks_(std::exchange(other.blocks_, {})),
      pages_(std::exchange(other.pages_, {})) {}

KvSequence& KvSequence::operator=(KvSequence&& other) noexcept {
  if (this == &other) return *this;
  clear();
  pool_ = other.pool_;
  length_ = std::exchange(other.length_, 0);
  blocks_ = std::exchange(other.blocks_, {});
  pages_ = std::exchange(other.pages_, {});
  return *this;
}

void KvSequence::extend(std::size_t tokens) {
  while (blocks_.size() < KvPool::blocks_for(length_ + tokens)) append(pool_->take(KvPool::Fill::kZero));
  length_ += tokens;
}

KvSequence KvSequence::fork(std::size_t tokens) const {
  assert(tokens <= length_);
  KvSequence copy(*pool_);
  const std::size_t full = tokens / kPageTokens;
  for (std::size_t i = 0; i < full; ++i) {
    pool_->hold(blocks_[i]);
    copy.append(blocks_[i]);
  }
  if (tokens % kPageTokens != 0) {
    copy.append(pool_->take(KvPool::Fill::kAny));
    pool_->memory_->copy(pool_->page(copy.blocks_[full], 0), pool_->page(blocks_[full], 0),
                         pool_->block_bytes());
  }
  copy.length_ = tokens;
  return copy;
}

void KvSequence::append(KvPool::Block block) {
  blocks_.push_back(block);
  for (std::size_t layer = 0; layer < pages_.size(); ++layer) {
    pages_[layer].push_back(pool_->page(block, layer));
  }
}

void KvSequence::clear() {
  for (const KvPool::Block block : blocks_) pool_->release(block);
  blocks_.clear();
  pages_.clear();
  length_ = 0;
}

}  // namespace micius
