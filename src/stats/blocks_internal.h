// Work on many random draws, shared by threads.
#pragma once

#include <cstddef>
#include <functional>

namespace micius {

// Draws of a block share one random stream, named after the block: results do not depend on the threads.
inline constexpr std::size_t kDrawsOfBlock = 64;

// Calls fn(block, begin, end) for the blocks of [0, draws), from as many threads as the machine has. `fn` may
// write what belongs to its draws; what it throws first is thrown here.
void for_each_block(std::size_t draws,
                    const std::function<void(std::size_t block, std::size_t begin, std::size_t end)>& fn);

}  // namespace micius
