// Lists of kernels that come again and again, as those of a generation's steps do, are recorded.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <vector>

#include "engine/device/device.h"

namespace micius {

class KernelReplay {
 public:
  // Borrows the device.
  explicit KernelReplay(Device& device) : device_(device) {}

  // Starts the kernels in their order. A list that equals one of the last few, in all that its kernels are
  // given, is recorded when it comes for the second time, and replayed from then on: what is in the memory
  // that they read may be new each time, where it is may not.
  void run(std::vector<Kernel> kernels);

 private:
  struct Known {
    std::vector<Kernel> kernels;
    std::unique_ptr<Recording> recording;  // null: it came once
  };

  Device& device_;
  std::list<Known> known_;  // the latest first
};

}  // namespace micius
