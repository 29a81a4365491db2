// A service over the tiny model, for tests.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "core/embedder.h"
#include "engine/engine.h"
#include "engine/tiny_model.h"
#include "serve/service.h"

namespace micius {

// Vectors of two numbers: how long a text is, and 0.5.
class LengthEmbedder final : public Embedder {
 public:
  std::size_t dim() const override { return 2; }
  std::vector<float> embed(std::span<const std::string> texts) override {
    std::vector<float> rows;
    for (const std::string& text : texts) rows.insert(rows.end(), {static_cast<float>(text.size()), 0.5F});
    return rows;
  }
  std::size_t count_tokens(std::string_view text) const override { return text.size(); }
  std::size_t max_tokens() const override { return 10; }
  std::string identity() const override { return "length"; }
};

class StayingCaller final : public Caller {
 public:
  bool is_gone() const override { return false; }
};

struct TestService {
  explicit TestService(std::size_t most_requests = 64, int threads = 1)
      : engine(model.path(), options(threads)),
        service(engine, &embedder, {"tiny", "length", most_requests, "test"}, clock) {}

  static EngineOptions options(int threads) {
    EngineOptions options;
    options.threads = threads;
    return options;
  }

  TinyModel model;
  Engine engine;
  LengthEmbedder embedder;
  SystemClock clock;
  Service service;
  StayingCaller caller;
};

}  // namespace micius
