#include "engine/device/kernel_replay.h"

#include <algorithm>
#include <utility>

namespace micius {
namespace {

constexpr std::size_t kMostKnown = 8;

}  // namespace

void KernelReplay::run(std::vector<Kernel> kernels) {
  const auto found =
      std::find_if(known_.begin(), known_.end(), [&](const Known& k) { return k.kernels == kernels; });
  if (found == known_.end()) {
    for (const Kernel& kernel : kernels) device_.launch(kernel);
    known_.push_front({std::move(kernels), nullptr});
    if (known_.size() > kMostKnown) known_.pop_back();
    return;
  }
  known_.splice(known_.begin(), known_, found);
  if (found->recording == nullptr) found->recording = device_.record(found->kernels);
  found->recording->start();
}

}  // namespace micius
