// The layer that kernels are written over, in PTX. Bulk copies and their barriers need sm_90; what is
// compiled for less has traps there.
#pragma once

#include <type_traits>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "engine/device/lanes.h"

namespace micius {

class CudaLanes {
 public:
  __device__ __forceinline__ explicit CudaLanes(char* shared)
      : shared_(shared), base_(static_cast<std::uint32_t>(__cvta_generic_to_shared(shared))) {}

  __device__ __forceinline__ unsigned thread() const { return threadIdx.x; }
  __device__ __forceinline__ unsigned lane() const { return threadIdx.x % 32; }
  // The same for all lanes, which the compiler cannot see by itself.
  __device__ __forceinline__ unsigned warp() const { return __shfl_sync(kAll, threadIdx.x / 32, 0); }
  __device__ __forceinline__ unsigned block() const { return blockIdx.x; }

  template <typename T>
  __device__ __forceinline__ T load(const T* p) const {
    return __ldg(p);
  }
  __device__ __forceinline__ Words4 load4(const std::uint32_t* p) const {
    const uint4 v = __ldg(reinterpret_cast<const uint4*>(p));
    return {v.x, v.y, v.z, v.w};
  }
  __device__ __forceinline__ Words4 load_fresh_words4(const std::uint32_t* p) const {
    const uint4 v = __ldcg(reinterpret_cast<const uint4*>(p));
    return {v.x, v.y, v.z, v.w};
  }
  template <typename T>
  __device__ __forceinline__ T load_fresh(const T* p) const {
    return __ldcg(p);
  }
  __device__ __forceinline__ Float2 load_fresh2(const float* p) const {
    Float2 v;
    asm volatile("ld.global.cg.v2.f32 {%0, %1}, [%2];" : "=f"(v.x), "=f"(v.y) : "l"(p) : "memory");
    return v;
  }
  __device__ __forceinline__ Float4 load_fresh4(const float* p) const {
    Float4 v;
    asm volatile("ld.global.cg.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
                 : "l"(p)
                 : "memory");
    return v;
  }
  template <typename T>
  __device__ __forceinline__ void store(T* p, T value) const {
    *p = value;
  }
  __device__ __forceinline__ std::uint32_t count(std::uint32_t* p, std::uint32_t last) const {
    std::uint32_t before;
    asm volatile("atom.acq_rel.gpu.global.inc.u32 %0, [%1], %2;"
                 : "=r"(before)
                 : "l"(p), "r"(last)
                 : "memory");
    return before;
  }

  template <typename T>
  __device__ __forceinline__ T shared_load(SharedAddress a) const {
    return *reinterpret_cast<const T*>(shared_ + a);
  }
  template <typename T>
  __device__ __forceinline__ void shared_store(SharedAddress a, T value) const {
    *reinterpret_cast<T*>(shared_ + a) = value;
  }

  __device__ __forceinline__ void sync_warp() const { __syncwarp(); }
  __device__ __forceinline__ void sync_threads(unsigned barrier, unsigned threads) const {
    asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
  }
  __device__ __forceinline__ void sync_block() const { __syncthreads(); }

  template <typename T>
  __device__ __forceinline__ T shuffle(T value, unsigned lane) const {
    return __shfl_sync(kAll, value, static_cast<int>(lane));
  }
  template <typename T>
  __device__ __forceinline__ T shuffle_xor(T value, unsigned mask) const {
    return __shfl_xor_sync(kAll, value, static_cast<int>(mask));
  }
  __device__ __forceinline__ bool any(bool value) const { return __any_sync(kAll, value) != 0; }

  __device__ __forceinline__ void load_matrices(std::uint32_t (&r)[4], SharedAddress a) const {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(base_ + a)
                 : "memory");
  }
  __device__ __forceinline__ void load_matrices_transposed(std::uint32_t (&r)[4], SharedAddress a) const {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(base_ + a)
                 : "memory");
  }
  __device__ __forceinline__ std::uint32_t transpose(std::uint32_t r) const {
    std::uint32_t transposed;
    asm("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(transposed) : "r"(r));
    return transposed;
  }
  template <typename T>
  __device__ __forceinline__ void multiply(float (&c)[4], const std::uint32_t (&a)[4],
                                           const std::uint32_t (&b)[2]) const {
    if constexpr (std::is_same_v<T, F16>) {
      asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
          "{%0, %1, %2, %3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    } else {
      asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
          "{%0, %1, %2, %3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    }
  }
  template <typename T>
  __device__ __forceinline__ std::uint32_t pack(float x, float y) const {
    std::uint32_t r;
    if constexpr (std::is_same_v<T, F16>) {
      asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(y), "f"(x));
    } else {
      asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(y), "f"(x));
    }
    return r;
  }
  template <typename T>
  __device__ __forceinline__ float first(std::uint32_t r) const {
    if constexpr (std::is_same_v<T, F16>) {
      return __half2float(__ushort_as_half(static_cast<unsigned short>(r)));
    } else {
      return __uint_as_float(r << 16);
    }
  }
  template <typename T>
  __device__ __forceinline__ float second(std::uint32_t r) const {
    if constexpr (std::is_same_v<T, F16>) {
      return __half2float(__ushort_as_half(static_cast<unsigned short>(r >> 16)));
    } else {
      return __uint_as_float(r & 0xffff0000U);
    }
  }
  __device__ __forceinline__ float exp2(float x) const {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
  }
  __device__ __forceinline__ float log2(float x) const { return __log2f(x); }

  __device__ __forceinline__ void copy_async(SharedAddress a, const void* p) const {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(base_ + a), "l"(p) : "memory");
  }
  __device__ __forceinline__ void commit_copies() const {
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
  template <int kGroups>
  __device__ __forceinline__ void wait_copies() const {
    asm volatile("cp.async.wait_group %0;" ::"n"(kGroups) : "memory");
  }

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  __device__ __forceinline__ void barrier_init(SharedAddress a, unsigned arrivals) const {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(base_ + a), "r"(arrivals) : "memory");
  }
  // Makes barriers that were initialised known to the engine that copies.
  __device__ __forceinline__ void fence_barriers() const {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __device__ __forceinline__ void barrier_arrive(SharedAddress a) const {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(base_ + a) : "memory");
  }
  __device__ __forceinline__ void barrier_expect(SharedAddress a, unsigned bytes) const {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(base_ + a), "r"(bytes)
                 : "memory");
  }
  __device__ __forceinline__ void barrier_wait(SharedAddress a, unsigned parity) const {
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "WAIT:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@done bra DONE;\n"
        "bra WAIT;\n"
        "DONE:\n"
        "}" ::"r"(base_ + a),
        "r"(parity)
        : "memory");
  }
  // What is copied is read once: it need not stay in L2.
  __device__ __forceinline__ void copy_bulk(SharedAddress a, const void* p, unsigned bytes,
                                            SharedAddress barrier) const {
    asm volatile(
        "{\n"
        ".reg .b64 policy;\n"
        "createpolicy.fractional.L2::evict_first.b64 policy, 1.0;\n"
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, "
        "[%3], "
        "policy;\n"
        "}" ::"r"(base_ + a),
        "l"(p), "r"(bytes), "r"(base_ + barrier)
        : "memory");
  }
  __device__ __forceinline__ void start_next() const { asm volatile("griddepcontrol.launch_dependents;"); }
  __device__ __forceinline__ void wait_for_previous() const {
    asm volatile("griddepcontrol.wait;" ::: "memory");
  }
#else
  __device__ __forceinline__ void start_next() const {}
  __device__ __forceinline__ void wait_for_previous() const {}
  __device__ __forceinline__ void barrier_init(SharedAddress, unsigned) const { __trap(); }
  __device__ __forceinline__ void fence_barriers() const { __trap(); }
  __device__ __forceinline__ void barrier_arrive(SharedAddress) const { __trap(); }
  __device__ __forceinline__ void barrier_expect(SharedAddress, unsigned) const { __trap(); }
  __device__ __forceinline__ void barrier_wait(SharedAddress, unsigned) const { __trap(); }
  __device__ __forceinline__ void copy_bulk(SharedAddress, const void*, unsigned, SharedAddress) const {
    __trap();
  }
#endif

 private:
  static constexpr unsigned kAll = 0xffffffffU;
  char* shared_;
  std::uint32_t base_;
};

}  // namespace micius
