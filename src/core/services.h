// What a scorer may be lent besides its parameters.
#pragma once

#include <string>

#include "core/embedder.h"
#include "core/sandbox.h"

namespace micius {

template <typename T>
struct Offer {
  T* service = nullptr;  // null: there is none
  std::string why_not;   // what to install or to type; empty where there is one
};

// Each service is made at its first use and lives as long as this object. Safe to call from several threads.
class Services {
 public:
  virtual ~Services() = default;
  virtual Offer<Sandbox> sandbox() = 0;
  virtual Offer<Embedder> embedder() = 0;
};

}  // namespace micius
