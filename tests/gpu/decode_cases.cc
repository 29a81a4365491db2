#include "gpu/decode_cases.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "engine/op_fixture.h"
#include "engine/ops/decode_attention_kernel.h"
#include "engine/quant.h"
#include "gpu/emulated_lanes.h"

namespace micius {
namespace {

float as_stored(float value, DType dtype) {
  if (dtype == DType::kF16) return f16_to_f32(f32_to_f16(value));
  return bf16_to_f32(f32_to_bf16(value));
}

float largest(const std::vector<float>& values) {
  float most = 0;
  for (const float value : values) most = std::max(most, std::abs(value));
  return most;
}

template <typename T, typename Ring>
void run_emulated(const emulation::Grid& grid, const emulation::GlobalMemory& memory,
                  emulation::Arrival arrival, std::string_view seed, const DecodeArgs& args) {
  with_decode_tiles(args.layout, [&](auto k, auto v) {
    emulation::run_kernel(grid, memory, arrival, seed, [&](emulation::EmulatedLanes& lanes) {
      decode_attention<emulation::EmulatedLanes, T, Ring, int{k.value}, int{v.value}>(lanes, args);
    });
  });
}

}  // namespace

std::string DecodeCase::name() const {
  return fmt::format("{}/{}/{} heads, {}/{} dims, {}, {} sequences, first of {}, window {}", shape.n_q,
                     shape.n_k, shape.n_v, shape.d_k, shape.d_v, dtype_name(dtype), lengths.size(),
                     lengths.front(), window);
}

std::size_t DecodeCase::first_token(std::size_t sequence) const {
  return std::accumulate(lengths.begin(), lengths.begin() + static_cast<std::ptrdiff_t>(sequence),
                         std::size_t{0});
}

DecodeCase random_decode_case(const AttentionShape& shape, DType dtype, std::vector<std::size_t> lengths,
                              std::string_view name) {
  const std::vector<std::size_t> one(lengths.size(), 1);
  return random_chunk_case(shape, dtype, std::move(lengths), one, name);
}

DecodeCase random_chunk_case(const AttentionShape& shape, DType dtype, std::vector<std::size_t> lengths,
                             const std::vector<std::size_t>& new_tokens, std::string_view name) {
  DecodeCase c{shape, dtype, std::move(lengths), 0, {}, {}, {}, {}};
  const std::size_t tokens = c.first_token(c.lengths.size());
  for (std::size_t s = 0; s < c.lengths.size(); ++s) {
    for (std::size_t left = new_tokens[s]; left > 0; --left)
      c.queries.push_back({s, c.lengths[s] + 1 - left});
  }
  c.shape.scale = 1 / std::sqrt(static_cast<float>(shape.d_k));
  c.q = random_floats(c.queries.size() * shape.n_q * shape.d_k, fmt::format("{}/q", name));
  c.k = random_floats(tokens * shape.n_k * shape.d_k, fmt::format("{}/k", name));
  c.v = random_floats(tokens * shape.n_v * shape.d_v, fmt::format("{}/v", name));
  for (float& value : c.q) value *= 3;
  return c;
}

PagedCase::PagedCase(const DecodeCase& c) : q_(c.q) {
  const DecodeLayout layout(c.shape, c.dtype);
  const std::size_t k_width = c.shape.n_k * c.shape.d_k, v_width = c.shape.n_v * c.shape.d_v;
  std::vector<std::uint32_t> first_pages;
  for (const std::size_t length : c.lengths) {
    first_pages.push_back(static_cast<std::uint32_t>(table_.size()));
    for (std::size_t page = 0; page * kPageTokens < length; ++page) {
      table_.push_back(static_cast<std::uint32_t>(2 * table_.size() + 1));
    }
  }
  for (const DecodeQuery& query : c.queries) {
    sequences_.push_back({first_pages[query.sequence], static_cast<std::uint32_t>(c.begin(query)),
                          static_cast<std::uint32_t>(query.end)});
  }
  Rng rng("decode/pages");
  rng.shuffle(table_);
  pages_ = Buffer((2 * table_.size() + 2) * layout.page_bytes());
  std::size_t token = 0;
  for (std::size_t s = 0; s < c.lengths.size(); ++s) {
    const std::size_t length = c.lengths[s];
    for (std::size_t t = 0; t < (length + kPageTokens - 1) / kPageTokens * kPageTokens; ++t) {
      std::byte* page = pages_.data() + table_[first_pages[s] + t / kPageTokens] * layout.page_bytes();
      if (t < length) {
        store_decode_kv(layout, page, t % kPageTokens, std::span(c.k).subspan((token + t) * k_width, k_width),
                        std::span(c.v).subspan((token + t) * v_width, v_width));
      } else {
        store_decode_kv(layout, page, t % kPageTokens, random_floats(k_width, "behind/k"),
                        random_floats(v_width, "behind/v"));
      }
    }
    token += length;
  }
  inputs_ = {layout, q_, {pages_.data(), pages_.size()}, table_, sequences_};
}

HeadScores head_scores(const DecodeCase& c, std::size_t query, std::size_t head) {
  const AttentionShape& shape = c.shape;
  const DecodeQuery& place = c.queries[query];
  const float* q = c.q.data() + (query * shape.n_q + head) * shape.d_k;
  const std::size_t first = c.first_token(place.sequence);
  HeadScores result;
  for (std::size_t t = c.begin(place); t < place.end; ++t) {
    const float* k = c.k.data() + ((first + t) * shape.n_k + shape.k_head(head)) * shape.d_k;
    double score = 0, size = 0;
    for (std::size_t i = 0; i < shape.d_k; ++i) {
      const double product = double{q[i]} * as_stored(k[i], c.dtype);
      score += product;
      size += std::abs(product);
    }
    result.scores.push_back(score * shape.scale);
    result.size = std::max(result.size, size * shape.scale);
  }
  return result;
}

double stored_value(const DecodeCase& c, std::size_t sequence, std::size_t position, std::size_t q_head,
                    std::size_t dim) {
  const std::size_t row = (c.first_token(sequence) + position) * c.shape.n_v + c.shape.v_head(q_head);
  return as_stored(c.v[row * c.shape.d_v + dim], c.dtype);
}

DecodeExpected expected_results(const DecodeCase& c) {
  const AttentionShape& shape = c.shape;
  DecodeExpected expected;
  double most_score = 0;
  for (std::size_t query = 0; query < c.queries.size(); ++query) {
    const DecodeQuery& place = c.queries[query];
    for (std::size_t head = 0; head < shape.n_q; ++head) {
      auto [scores, size] = head_scores(c, query, head);
      most_score = std::max(most_score, size);
      const double most = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      for (double& score : scores) sum += score = std::exp(score - most);
      expected.lse.push_back(most + std::log(sum));
      for (std::size_t i = 0; i < shape.d_v; ++i) {
        double out = 0;
        for (std::size_t t = 0; t < scores.size(); ++t) {
          out += scores[t] / sum * stored_value(c, place.sequence, c.begin(place) + t, head, i);
        }
        expected.out.push_back(out);
      }
    }
  }
  // A weight is off by half a unit of its last place, and by what moves its score: a q in two parts has twice
  // the bits.
  const bool f16 = c.dtype == DType::kF16;
  const double weight = f16 ? 0x1p-11 : 0x1p-8, q = f16 ? 0x1p-21 : 0x1p-16;
  expected.lse_tolerance = most_score * (q + 0x1p-20) + 1e-5;
  expected.tolerance = largest(c.v) * (weight + 2 * expected.lse_tolerance);
  return expected;
}

long wrong_results(const DecodeResults& results, const DecodeExpected& expected) {
  if (results.out.size() != expected.out.size() || results.lse.size() != expected.lse.size()) return -1;
  long wrong = 0;
  for (std::size_t i = 0; i < expected.out.size(); ++i) {
    wrong += std::abs(results.out[i] - expected.out[i]) <= expected.tolerance ? 0 : 1;
  }
  for (std::size_t i = 0; i < expected.lse.size(); ++i) {
    wrong += std::abs(results.lse[i] - expected.lse[i]) <= expected.lse_tolerance ? 0 : 1;
  }
  return wrong;
}

DecodeResults decode_emulated(const DecodeInputs& inputs, const DecodeTuning& tuning,
                              emulation::Arrival arrival, std::string_view seed) {
  const DecodeLayout& layout = inputs.layout;
  const DecodePlan plan = decode_plan(layout, inputs.sequences, tuning);
  const DecodeShared shared(layout, tuning, layout.column_tiles());
  const std::size_t rows = inputs.sequences.size() * layout.n_q;
  DecodeResults results{std::vector<float>(rows * layout.d_v, NAN), std::vector<float>(rows, NAN)};
  Buffer partials(std::size_t{plan.partials} * layout.most_q * layout.v_tiles * 16 * 4 + 1);
  std::vector<float> sums(std::size_t{plan.partials} * layout.most_q * 2, NAN);
  std::vector<std::uint32_t> tickets(plan.items);

  using Access = emulation::GlobalMemory::Access;
  emulation::GlobalMemory memory;
  memory.allow(inputs.q.data(), inputs.q.size_bytes(), Access::kRead);
  memory.allow(inputs.pages.data(), inputs.pages.size_bytes(), Access::kRead);
  memory.allow(inputs.table.data(), inputs.table.size_bytes(), Access::kRead);
  memory.allow(plan.segments.data(), plan.segments.size() * sizeof(DecodeSegment), Access::kRead);
  memory.allow(results.out.data(), results.out.size() * 4, Access::kReadWrite);
  memory.allow(results.lse.data(), results.lse.size() * 4, Access::kReadWrite);
  memory.allow(partials.data(), partials.size() - 1, Access::kReadWrite);
  memory.allow(sums.data(), sums.size() * 4, Access::kReadWrite);
  memory.allow(tickets.data(), tickets.size() * 4, Access::kReadWrite);
  const DecodeArgs args{layout,
                        tuning,
                        inputs.q.data(),
                        inputs.pages.data(),
                        inputs.table.data(),
                        plan.segments.data(),
                        results.out.data(),
                        results.lse.data(),
                        reinterpret_cast<float*>(partials.data()),
                        sums.data(),
                        tickets.data()};
  const emulation::Grid grid{plan.blocks, decode_threads(shared, tuning), shared.bytes};
  using Lanes = emulation::EmulatedLanes;
  if (layout.bf16) {
    tuning.bulk ? run_emulated<BF16, BulkRing<Lanes>>(grid, memory, arrival, seed, args)
                : run_emulated<BF16, OwnRing<Lanes>>(grid, memory, arrival, seed, args);
  } else {
    tuning.bulk ? run_emulated<F16, BulkRing<Lanes>>(grid, memory, arrival, seed, args)
                : run_emulated<F16, OwnRing<Lanes>>(grid, memory, arrival, seed, args);
  }
  for (const std::uint32_t ticket : tickets) {
    if (ticket != 0) throw emulation::KernelFault("a ticket was not given back");
  }
  return results;
}

}  // namespace micius
