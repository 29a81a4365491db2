// The device layer: what a kernel says instead of CUDA's words, so that it can be run twice: by a GPU, and by
// an emulation on the CPU that checks bounds and races. A kernel is a function template over the layer `D`;
// all its threads call it, and all that it does outside its own variables goes through the object of type D
// that it is given.
//
// Where it runs:
//   thread() lane() warp() block()
// Global memory, never written while the kernel runs; written by another block before; its own:
//   load(p)
//   load4(p)         four words, aligned to 16 bytes
//   load_fresh(p) load_fresh2(p) load_fresh4(p)  the latter: two or four floats, aligned to their size
//   load_fresh_words4(p)  load4 of what another block wrote before
//   store(p, v)
//   count(p, last)   atomic: what *p was, and adds 1, or from `last` on goes back to 0. What the block's
//                    threads had stored before a barrier is seen by those blocks that count after, behind
//                    another barrier
// Shared memory, by byte address from its start:
//   shared_load<T>(a) shared_store(a, v)
// Others:
//   sync_warp() sync_block()
//   sync_threads(barrier, n)  n threads, whole warps; barriers 1 to 15
//   shuffle(v, lane) shuffle_xor(v, mask) any(b)
// Matrices of 8 x 8 16-bit values; T is F16 or BF16, sums are in fp32:
//   load_matrices(r, a) load_matrices_transposed(r, a)  ldmatrix .x4: lane l has the address of row l % 8 of
//                                                       matrix l / 8
//   transpose(r)                       movmatrix
//   multiply<T>(c, a, b)               mma m16n8k16, c += a b
//   pack<T>(x, y) first<T>(r) second<T>(r)  two values of type T in a register
//   exp2(x) log2(x)
// Copies to shared memory:
//   copy_async(a, p) commit_copies()   cp.async, 16 bytes, and the group that they end
//   wait_copies<N>()                   at most N groups of this thread are under way
//   barrier_init(a, n) fence_barriers()         mbarrier, 8 bytes at a
//   barrier_arrive(a) barrier_expect(a, bytes)  the latter: arrive, and wait for so many bytes
//   barrier_wait(a, parity)            until the phase of that parity is over
//   copy_bulk(a, p, bytes, barrier)    cp.async.bulk, of multiples of 16 bytes
// Kernels:
//   start_next()          the next one of the stream may start before this one ends
//   wait_for_previous()   until what the one before has written can be read
//
// Lanes of a warp take part in shuffle, any, the matrix operations and sync_warp together, all 32.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define MICIUS_KERNEL __device__ __forceinline__
#define MICIUS_UNROLL _Pragma("unroll")
#else
#define MICIUS_KERNEL inline
#define MICIUS_UNROLL
#endif

namespace micius {

// Formats of 16-bit values, as tags.
struct F16 {};
struct BF16 {};

using SharedAddress = std::uint32_t;

struct alignas(8) Float2 {
  float x, y;
};
struct alignas(16) Float4 {
  float x, y, z, w;
};
struct alignas(8) Words2 {
  std::uint32_t x, y;
};
struct alignas(16) Words4 {
  std::uint32_t x, y, z, w;
};

// What a kernel is started with.
struct LaunchShape {
  std::uint32_t blocks = 0;  // 0: nothing is to be done
  std::uint32_t threads = 0, shared_bytes = 0;
};

}  // namespace micius
