// One request of a speed run: sent, and its stream read as it comes.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/http.h"
#include "net/sse.h"

namespace micius {

// What is known of a request in the end. Latencies count from `planned`, so that a request which could not be
// sent in time carries its delay.
struct LoadSample {
  Clock::time_point planned{}, sent{}, done{};
  std::vector<Clock::time_point> pieces;                        // when text came: a token each, or a few
  std::optional<std::size_t> prompt_tokens, completion_tokens;  // as the server counts them
  std::string failure;                                          // "" for an answer that is whole
};

class LoadCall final : public HttpSink {
 public:
  // `on_end` is called last, on the client's thread. `clock` must outlive this.
  LoadCall(Clock::time_point planned, const Clock& clock, std::function<void(LoadCall&)> on_end)
      : clock_(clock), on_end_(std::move(on_end)) {
    sample.planned = planned;
  }

  bool on_head(const HttpHead& head) override;
  bool on_body(std::string_view bytes) override;
  void on_done(const HttpResult& result) override;

  LoadSample sample;

 private:
  void take(std::string_view data, Clock::time_point now);

  const Clock& clock_;
  std::function<void(LoadCall&)> on_end_;
  SseParser events_;
  int status_ = 0;
  bool is_whole_ = false;  // a finish_reason was seen
  std::string error_;
};

}  // namespace micius
