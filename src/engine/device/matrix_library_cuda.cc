// The library is loaded while the program runs, so that a program that was built with CUDA starts without it.
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cublasLt.h>
#include <dlfcn.h>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "engine/device/gpu_memory_internal.h"
#include "engine/device/matrix_library.h"
#include "engine/gpu.h"

namespace micius {
namespace {

constexpr std::size_t kWorkspaceBytes = 32 << 20;  // what NVIDIA advises for sm_90

// What is used of it, by its header's types.
struct Functions {
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtGetVersion) version = nullptr;
  decltype(&cublasLtGetStatusString) status_string = nullptr;
  decltype(&cublasLtMatmulDescInit_internal) init_product = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) set_product = nullptr;
  decltype(&cublasLtMatrixLayoutInit_internal) init_layout = nullptr;
  decltype(&cublasLtMatmulPreferenceInit_internal) init_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) choose = nullptr;
  decltype(&cublasLtMatmul) multiply = nullptr;

  void check(cublasStatus_t status, const char* what) const {
    if (status != CUBLAS_STATUS_SUCCESS)
      fail(ErrorCode::kIo, "cuBLASLt, {}: {}", what, status_string(status));
  }
  std::string name() const {
    const std::size_t number = version();
    return fmt::format("cuBLASLt {}.{}.{}", number / 10000, number / 100 % 100, number % 100);
  }
};

// Absent where the library of this header's version is not there. It stays loaded: it has threads of its own.
std::optional<Functions> load() {
  void* const library = dlopen(fmt::format("libcublasLt.so.{}", CUBLAS_VER_MAJOR).c_str(), RTLD_NOW);
  if (library == nullptr) return std::nullopt;
  Functions functions;
  bool whole = true;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    whole = whole && function != nullptr;
  };
  find(functions.create, "cublasLtCreate");
  find(functions.destroy, "cublasLtDestroy");
  find(functions.version, "cublasLtGetVersion");
  find(functions.status_string, "cublasLtGetStatusString");
  find(functions.init_product, "cublasLtMatmulDescInit_internal");
  find(functions.set_product, "cublasLtMatmulDescSetAttribute");
  find(functions.init_layout, "cublasLtMatrixLayoutInit_internal");
  find(functions.init_preference, "cublasLtMatmulPreferenceInit_internal");
  find(functions.set_preference, "cublasLtMatmulPreferenceSetAttribute");
  find(functions.choose, "cublasLtMatmulAlgoGetHeuristic");
  find(functions.multiply, "cublasLtMatmul");
  if (!whole) return std::nullopt;
  return functions;
}

// All that the choice of an algorithm depends on: pointers are aligned to 256 bytes.
struct Shape {
  std::uint32_t m = 0, n = 0, k = 0;
  bool adds = false, has_bias = false;
  auto operator<=>(const Shape&) const = default;
};

Shape shape_of(const MatrixProduct& p) { return {p.m, p.n, p.k, p.beta != 0, p.bias != nullptr}; }

struct Plan {
  cublasLtMatmulDescOpaque_t product{};
  cublasLtMatrixLayoutOpaque_t a{}, b{}, d{};
  std::optional<cublasLtMatmulAlgo_t> algorithm;  // absent: there is none
};

struct Destroy {
  decltype(&cublasLtDestroy) destroy = nullptr;
  void operator()(cublasLtHandle_t handle) const { destroy(handle); }
};
using Handle = std::unique_ptr<std::remove_pointer_t<cublasLtHandle_t>, Destroy>;

class CublasLt : public MatrixLibrary {
 public:
  CublasLt(const Functions& functions, Handle handle)
      : functions_(functions), handle_(std::move(handle)), workspace_(kWorkspaceBytes) {}

  std::string name() const override { return functions_.name(); }

  bool start(std::span<const MatrixProduct> products, void* stream) override {
    for (const MatrixProduct& product : products) {
      if (!plan_of(product).algorithm) return false;
    }
    for (const MatrixProduct& product : products) start_one(product, stream);
    return true;
  }

 private:
  Plan& plan_of(const MatrixProduct& product) {
    const Shape shape = shape_of(product);
    if (const auto known = plans_.find(shape); known != plans_.end()) return known->second;
    return plans_.emplace(shape, plan(product)).first->second;
  }

  Plan plan(const MatrixProduct& product) const {
    Plan plan;
    init(plan, product);
    cublasLtMatmulPreferenceOpaque_t preference{};
    functions_.check(functions_.init_preference(&preference, sizeof preference), "preference");
    functions_.check(functions_.set_preference(&preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                               &kWorkspaceBytes, sizeof kWorkspaceBytes),
                     "workspace");
    cublasLtMatmulHeuristicResult_t chosen{};
    int count = 0;
    const cublasStatus_t status = functions_.choose(handle_.get(), &plan.product, &plan.a, &plan.b, &plan.d,
                                                    &plan.d, &preference, 1, &chosen, &count);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED) return plan;
    functions_.check(status, "choice of an algorithm");
    if (count > 0 && chosen.state == CUBLAS_STATUS_SUCCESS) plan.algorithm = chosen.algo;
    return plan;
  }

  void init(Plan& plan, const MatrixProduct& p) const {
    functions_.check(
        functions_.init_product(&plan.product, sizeof plan.product, CUBLAS_COMPUTE_32F, CUDA_R_32F),
        "product");
    set(plan, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
    if (p.bias != nullptr) {
      set(plan, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
      set(plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    }
    init(plan.a, CUDA_R_16BF, p.k, p.m);
    init(plan.b, CUDA_R_16BF, p.k, p.n);
    init(plan.d, CUDA_R_32F, p.m, p.n);
  }
  void init(cublasLtMatrixLayoutOpaque_t& layout, cudaDataType_t type, std::uint32_t rows,
            std::uint32_t columns) const {
    functions_.check(functions_.init_layout(&layout, sizeof layout, type, rows, columns, rows), "layout");
  }
  template <typename T>
  void set(Plan& plan, cublasLtMatmulDescAttributes_t attribute, const T& value) const {
    functions_.check(functions_.set_product(&plan.product, attribute, &value, sizeof value), "attribute");
  }

  void start_one(const MatrixProduct& product, void* stream) {
    Plan& plan = plan_of(product);
    if (product.bias != nullptr) set(plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, product.bias);
    const float one = 1;
    functions_.check(
        functions_.multiply(handle_.get(), &plan.product, &one, product.a, &plan.a, product.b, &plan.b,
                            &product.beta, product.d, &plan.d, product.d, &plan.d, &*plan.algorithm,
                            workspace_.data(), kWorkspaceBytes, static_cast<cudaStream_t>(stream)),
        "product");
  }

  Functions functions_;
  Handle handle_;
  GpuArray<std::byte> workspace_;
  std::map<Shape, Plan> plans_;
};

}  // namespace

std::unique_ptr<MatrixLibrary> MatrixLibrary::open() {
  const std::optional<Functions> functions = load();
  cublasLtHandle_t handle = nullptr;
  if (!functions || functions->create(&handle) != CUBLAS_STATUS_SUCCESS) return nullptr;
  return std::make_unique<CublasLt>(*functions, Handle(handle, {functions->destroy}));
}

std::optional<std::string> matrix_library_name() {
  const std::optional<Functions> functions = load();
  if (!functions) return std::nullopt;
  return functions->name();
}

}  // namespace micius
