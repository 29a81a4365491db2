// How long a plan takes: the cost model `optiflow-cost 1`. Whole picoseconds throughout, so that every
// implementation gives the same integers.
//
// Link l: A_l its latency, X_l = chunk_bytes * 10^6 / MB-per-second of l, rounded half up.
//
// Rounds: a round lasts the longest of its steps' sum (A_l + X_l) + max (n_l - 1) X_l over the links l of the
// step's route, n_l = steps of the round on l: a chunk pays each link in turn, as a switch stores and
// forwards, and the longest queue it can meet; latency is paid once a round. Rounds add up.
//
// List: no barriers. Each first link has a queue of its steps in list order. Repeat: among the queue heads
// whose chunk is already placed to arrive at the sender, take the one that can start first (ties: lower step
// number). Start s is the least with s >= arrival of the chunk at the sender and s + off_l >= free_l for each
// link of the route, off_l = sum of (A + X) of the links before l. Then free_l = s + off_l + X_l, plus the
// route's whole latency if l touches a GPU (a port waits for its message; a trunk does not); the chunk
// arrives at s + sum (A + X). The plan lasts until the last arrival.
//
// A step whose receiver already holds the chunk, or gets it from an earlier step of the same round, or that
// sends to its sender, is redundant: checked and counted, not executed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plan/machine.h"
#include "plan/plan.h"

namespace micius::plan {

inline constexpr const char* kCostModel = "optiflow-cost 1";
inline constexpr std::size_t kMostSteps = 20'000;

struct Outcome {
  bool valid = false;
  std::int64_t latency_ps = 0;  // if valid
  std::size_t steps = 0;        // of the plan, whether valid or not
  std::size_t redundant = 0;    // if valid
  std::string code;             // if not: empty, too_long, no_gpu, no_chunk, not_held, no_link or incomplete
  std::string error;            // and what is wrong, counting from 1
  std::optional<std::size_t> wrong_step;  // the index of the step that is wrong, where one is
};

class CostModel {
 public:
  // Borrows the machine. Throws Error{kInvalidData} naming `where` unless there are from 1 to 4,096 chunks a
  // GPU, at most 4,096 in all, of at least one byte, and a chunk passes every link within a second.
  CostModel(const Machine& machine, int chunks_per_gpu, std::int64_t chunk_bytes, const std::string& where);

  // Valid if every GPU ends with every chunk and each step sends over a route a chunk that its sender owns or
  // has received: in a list by an earlier step, with rounds in an earlier round. Checked in plan order; the
  // first error wins. Pure, and safe to call from several threads.
  Outcome run(const Plan& plan) const;

  const Machine& machine() const { return machine_; }
  int chunks_per_gpu() const { return chunks_; }
  std::int64_t chunk_bytes() const { return chunk_bytes_; }
  std::int64_t transfer_ps(int link) const { return transfer_ps_[static_cast<std::size_t>(link)]; }  // X
  std::int64_t route_ps(int src, int dst) const;  // sum (A + X)
  // What one round of these steps takes; all must be possible and bring something new.
  std::int64_t round_ps(std::span<const Step> round) const;

 private:
  std::int64_t rounds_ps(const Plan& executed) const;
  std::int64_t list_ps(const Plan& executed) const;

  const Machine& machine_;
  int chunks_;
  std::int64_t chunk_bytes_;
  std::vector<std::int64_t> transfer_ps_, route_ps_;
};

}  // namespace micius::plan
