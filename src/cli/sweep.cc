#include "cli/sweep.h"

#include <future>
#include <mutex>
#include <thread>

namespace micius {

void sweep(const std::vector<std::unique_ptr<SweepPart>>& parts, const std::stop_token& stop,
           const SweepFailure& failed) {
  std::mutex failing;
  const auto guarded = [&](SweepPart& part, const std::function<void()>& step) {
    try {
      step();
      return true;
    } catch (const std::exception& error) {
      const std::lock_guard lock(failing);
      failed(part, error);
      return false;
    }
  };
  std::vector<std::future<void>> opening;
  for (const auto& part : parts) {
    if (!part->is_remote()) continue;
    SweepPart* const remote = part.get();
    opening.push_back(std::async(std::launch::async, [remote] { remote->open(); }));
  }
  std::vector<std::jthread> working;
  auto opened = opening.begin();
  for (const auto& part : parts) {
    if (!part->is_remote()) continue;
    SweepPart* const remote = part.get();
    std::future<void>& future = *opened++;
    const bool is_ready = guarded(*remote, [&] {
      future.get();
      remote->prepare();
    });
    if (!is_ready) {
      remote->close();
      continue;
    }
    working.emplace_back([&, remote] {
      guarded(*remote, [&] { remote->work(); });
      remote->close();
    });
  }
  for (const auto& part : parts) {
    if (part->is_remote() || stop.stop_requested()) continue;
    guarded(*part, [&] {
      part->open();
      part->prepare();
      part->work();
    });
    part->close();
  }
}

}  // namespace micius
