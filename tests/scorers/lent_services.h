// Services of a test: a sandbox, or the reason why there is none.
#pragma once

#include <string>
#include <utility>

#include "core/services.h"

namespace micius {

class Lent final : public Services {
 public:
  Lent(Sandbox* sandbox, std::string why_not) : offer_{sandbox, std::move(why_not)} {}
  Offer<Sandbox> sandbox() override { return offer_; }
  Offer<Embedder> embedder() override { return {nullptr, "none here"}; }

 private:
  Offer<Sandbox> offer_;
};

}  // namespace micius
