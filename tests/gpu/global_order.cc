#include "gpu/global_order.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace micius::emulation {
namespace {

constexpr std::uintptr_t kWordBytes = 4;

// Calls f with the number of each word.
template <typename F>
void for_each_word(const void* data, std::size_t bytes, const F& f) {
  const auto begin = std::bit_cast<std::uintptr_t>(data);
  for (std::uintptr_t at = begin; at < begin + bytes; at += kWordBytes) f(at / kWordBytes);
}

}  // namespace

bool GlobalOrder::is_known(const GlobalAccess& by, const Write& write) const {
  if (write.block == by.block) return write.time <= by.clock[write.thread];
  const auto found = learnt_.find(by.block);
  if (found == learnt_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const Learnt& learnt) {
    if (learnt.time > by.clock[learnt.thread]) return false;
    const std::vector<Drawn>& drawn = drawn_.at(learnt.ticket);
    return std::any_of(drawn.begin(), drawn.begin() + static_cast<std::ptrdiff_t>(learnt.count),
                       [&](const Drawn& each) {
                         return each.block == write.block && write.time <= each.clock[write.thread];
                       });
  });
}

void GlobalOrder::check(const GlobalAccess& by, const Write& before, const char* what) const {
  if (is_known(by, before)) return;
  throw KernelFault(fmt::format(
      "race: block {}, thread {} {} global memory that block {}, thread {} writes without {} between",
      by.block, by.thread, what, before.block, before.thread,
      before.block == by.block ? "a barrier" : "a ticket and barriers"));
}

void GlobalOrder::read(const GlobalAccess& by, const void* data, std::size_t bytes, Read how) const {
  if (writes_.empty()) return;
  for_each_word(data, bytes, [&](std::uintptr_t word) {
    const auto found = writes_.find(word);
    if (found == writes_.end()) return;
    check(by, found->second, "reads");
    if (how == Read::kCached) {
      throw KernelFault(
          fmt::format("block {}, thread {} loads global memory that the kernel has written, through "
                      "a cache that need not see it",
                      by.block, by.thread));
    }
  });
}

void GlobalOrder::write(const GlobalAccess& by, const void* data, std::size_t bytes) {
  for_each_word(data, bytes, [&](std::uintptr_t word) {
    const auto [place, is_new] = writes_.try_emplace(word, Write{by.block, by.thread, by.clock[by.thread]});
    if (is_new) return;
    check(by, place->second, "writes");
    place->second = {by.block, by.thread, by.clock[by.thread]};
  });
}

void GlobalOrder::draw(const GlobalAccess& by, const void* ticket) {
  std::vector<Drawn>& drawn = drawn_[ticket];
  learnt_[by.block].push_back({by.thread, by.clock[by.thread], ticket, drawn.size()});
  drawn.push_back({by.block, by.clock});
}

}  // namespace micius::emulation
