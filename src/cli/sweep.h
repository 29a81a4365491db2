// Several models side by side.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

namespace micius {

// What is to be done with one model, in three steps, one after the other.
class SweepPart {
 public:
  virtual ~SweepPart() = default;
  // Is it of another machine, so that its work costs this one little?
  virtual bool is_remote() const = 0;
  virtual void open() = 0;     // in any thread, beside the steps of other parts
  virtual void prepare() = 0;  // in the caller's thread, beside others' open() and work()
  virtual void work() = 0;     // in any thread, beside the steps of other parts
  virtual void close() = 0;  // in the thread of the last step, also of one that threw: gives its memory back
};

// Which part, and what it threw. Called from one thread at a time.
using SweepFailure = std::function<void(SweepPart& part, const std::exception& error)>;

// The remote parts are opened at once, prepared in their order and then work at once; meanwhile those of this
// machine go one after the other. One that throws is handed to `failed`, once, and the others go on. After a
// stop no part of this machine begins. Returns once all have ended.
void sweep(const std::vector<std::unique_ptr<SweepPart>>& parts, const std::stop_token& stop,
           const SweepFailure& failed);

}  // namespace micius
