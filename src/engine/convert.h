// Models into GGUF files: from another format, or with weights of another type.
//
// Matrices become the type that is asked for, but for: the head, which 4-bit types keep in Q6_K, and rows
// that are not whole blocks, which K types keep in Q4_1 or Q8_0, and the others in F16. Vectors are F32.
// Without a type everything else stays as it is, bit for bit.
#pragma once

#include <optional>
#include <string_view>

#include "base/files.h"
#include "engine/model/config.h"
#include "engine/model/source.h"
#include "engine/tensor.h"
#include "engine/thread_pool.h"

namespace micius {

// Throws Error{kInvalidData} naming a tensor with a value that is not finite, and what config_from() throws.
void write_gguf(const ModelSource& source, std::optional<DType> dtype, ThreadPool& pool,
                const ByteSink& sink);

// "Q4_1"; throws Error{kUsage} with the types that can be written.
DType dtype_from(std::string_view name);

}  // namespace micius
