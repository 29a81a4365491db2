#include "engine/tokenizer/bpe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <queue>
#include <tuple>

namespace micius {
namespace {

constexpr std::size_t kShort = 32;  // symbols

std::uint64_t pair_key(TokenId left, TokenId right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
         static_cast<std::uint32_t>(right);
}

constexpr std::uint32_t kEnd = ~std::uint32_t{0};

struct Symbol {
  TokenId id;
  std::uint32_t previous, next;
};

// A pair that could be joined when it was seen; stale if one of its symbols has changed since.
struct Candidate {
  std::uint32_t rank, at, right_at;
  TokenId left, right, joined;
  bool operator>(const Candidate& other) const { return std::tie(rank, at) > std::tie(other.rank, other.at); }
};

}  // namespace

Bpe::Bpe(std::span<const Merge> merges)
    : slots_(std::bit_ceil(std::max<std::size_t>(16, merges.size() * 2))) {
  for (const Merge& merge : merges) {
    const std::uint64_t pair = pair_key(merge.left, merge.right);
    Slot& slot = slots_[slot_of(pair)];
    if (slot.pair == kEmpty) slot = {pair, merge.rank, merge.joined};
  }
}

// The place of `pair`, or the free place where it would be.
std::size_t Bpe::slot_of(std::uint64_t pair) const {
  const std::size_t mask = slots_.size() - 1;
  const std::uint64_t hash = pair * 0x9E3779B97F4A7C15u;
  std::size_t i = (hash ^ (hash >> 32)) & mask;
  while (slots_[i].pair != kEmpty && slots_[i].pair != pair) i = (i + 1) & mask;
  return i;
}

const Bpe::Slot* Bpe::find(TokenId left, TokenId right) const {
  const Slot& slot = slots_[slot_of(pair_key(left, right))];
  return slot.pair == kEmpty ? nullptr : &slot;
}

void Bpe::encode(std::span<const TokenId> symbols, std::vector<TokenId>& ids) const {
  if (symbols.size() <= kShort) {
    encode_short(symbols, ids);
  } else {
    encode_long(symbols, ids);
  }
}

void Bpe::encode_short(std::span<const TokenId> symbols, std::vector<TokenId>& ids) const {
  std::array<TokenId, kShort> id{};
  std::array<const Slot*, kShort> join{};  // of the symbol and the next one
  std::size_t size = symbols.size();
  std::copy(symbols.begin(), symbols.end(), id.begin());
  for (std::size_t i = 0; i + 1 < size; ++i) join[i] = find(id[i], id[i + 1]);
  while (size > 1) {
    std::size_t best = size;
    for (std::size_t i = 0; i + 1 < size; ++i) {
      if (join[i] != nullptr && (best == size || join[i]->rank < join[best]->rank)) best = i;
    }
    if (best == size) break;
    id[best] = join[best]->joined;
    std::copy(id.begin() + best + 2, id.begin() + size, id.begin() + best + 1);
    std::copy(join.begin() + best + 2, join.begin() + size, join.begin() + best + 1);
    --size;
    if (best > 0) join[best - 1] = find(id[best - 1], id[best]);
    if (best + 1 < size) join[best] = find(id[best], id[best + 1]);
  }
  ids.insert(ids.end(), id.begin(), id.begin() + size);
}

void Bpe::encode_long(std::span<const TokenId> pieces, std::vector<TokenId>& ids) const {
  std::vector<Symbol> symbols;
  symbols.reserve(pieces.size());
  for (const TokenId id : pieces) {
    const auto at = static_cast<std::uint32_t>(symbols.size());
    symbols.push_back({id, at == 0 ? kEnd : at - 1, at + 1});
  }
  symbols.back().next = kEnd;

  std::vector<Candidate> storage;
  storage.reserve(symbols.size() * 2);
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue({}, std::move(storage));
  const auto offer = [&](std::uint32_t at) {
    if (at == kEnd || symbols[at].next == kEnd) return;
    const std::uint32_t right_at = symbols[at].next;
    if (const Slot* slot = find(symbols[at].id, symbols[right_at].id))
      queue.push({slot->rank, at, right_at, symbols[at].id, symbols[right_at].id, slot->joined});
  };
  for (std::uint32_t at = 0; at < symbols.size(); ++at) offer(at);
  while (!queue.empty()) {
    const Candidate c = queue.top();
    queue.pop();
    Symbol& left = symbols[c.at];
    Symbol& right = symbols[c.right_at];
    if (left.id != c.left || right.id != c.right || left.next != c.right_at) continue;
    left.id = c.joined;
    left.next = right.next;
    right.id = kNoToken;
    if (left.next != kEnd) symbols[left.next].previous = c.at;
    offer(left.previous);
    offer(c.at);
  }
  for (std::uint32_t at = 0; at != kEnd; at = symbols[at].next) ids.push_back(symbols[at].id);
}

}  // namespace micius
