// Tells the queue that a worker is alive, beside its work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/work_queue.h"

namespace micius {

class Heartbeat {
 public:
  // `store` is its own. Beats four times in a lease, and every five seconds at least. `stopped` is called,
  // from its thread, where it cannot go on.
  Heartbeat(std::unique_ptr<SqlStore> store, std::chrono::milliseconds lease_time, WorkerId worker,
            std::function<void()> stopped);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // From now on this lease, which is of the same run as others that are held, is renewed. `lost` is called,
  // from any thread, once another worker has one of them.
  void hold(const Lease& lease, std::function<void()> lost);
  void let_go(const Lease& lease);
  void let_go();  // of all: once it returns, `lost` is not called any more
  void loaded(const std::string& model);
  void count_samples(std::size_t samples);  // for the rate that the queue's status shows
  void end();                               // once it returns, it beats no more; may be called again
  // What it stopped with, thrown.
  void rethrow() const;

 private:
  void beat_on(const std::stop_token& stop);
  void beat(std::chrono::duration<double> since_last);

  const std::unique_ptr<SqlStore> store_;
  WorkQueue queue_;
  const WorkerId worker_;
  const std::chrono::milliseconds interval_;
  std::function<void()> stopped_;
  mutable std::mutex mutex_;  // of all below
  std::condition_variable_any changed_;
  std::vector<Lease> leases_;
  std::function<void()> lost_;
  WorkerState state_;
  std::size_t samples_ = 0;  // since the last beat
  std::exception_ptr error_;
  std::jthread thread_;  // last
};

}  // namespace micius
