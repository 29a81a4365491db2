// Slow and obvious ops in fp64, to test the fast ones against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/kv_page.h"
#include "engine/ops/attention.h"
#include "engine/ops/linear.h"

namespace micius::reference {

// y = W x with dequantised weights. x: [rows, cols]; returns [rows, outputs of all parts].
std::vector<double> linear(std::span<const LinearPart> parts, std::span<const float> x);

std::vector<double> rms_norm(std::span<const float> x, std::span<const float> weight, double epsilon);
std::vector<double> layer_norm(std::span<const float> x, std::span<const float> weight,
                               std::span<const float> bias, double epsilon);
std::vector<double> gelu(std::span<const float> x, std::span<const float> bias);
std::vector<double> swiglu(std::span<const float> gate_up, std::size_t width);

std::vector<double> geglu(std::span<const float> gate_up, std::size_t width);

// One sequence, no pages. q: [tokens, n_q, d_k], the last `tokens` positions; k: [length, n_k, d_k];
// v: [length, n_v, d_v]. Returns [tokens, n_q, d_v].
std::vector<double> attention(const AttentionShape& shape, std::span<const float> q, std::span<const float> k,
                              std::span<const float> v, AttentionMask mask = AttentionMask::kCausal,
                              std::size_t window = 0);

double logsumexp(std::span<const float> logits);

}  // namespace micius::reference
