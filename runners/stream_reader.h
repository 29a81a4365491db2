// Reads a streamed answer as it comes: bytes into events, events into an ApiStream, and when the first token
// was there.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "net/api_queue.h"
#include "net/sse.h"
#include "runners/api_shape.h"

namespace micius {

// An answer that is no stream after all (an error, a page, the whole answer as JSON) is judged by its first
// character, not by its Content-Type, and read whole. A stream that has said why the model stopped may be
// silent for five seconds more, for the usage and the end mark; after the end mark for one.
class StreamReader final : public ApiReader {
 public:
  // `longest_wait`: for the first token. Comments and pings do not make it longer. `clock` must outlive this.
  StreamReader(std::unique_ptr<ApiStream> stream, const Clock& clock, std::chrono::milliseconds longest_wait);

  bool read(const HttpHead& head, std::string_view bytes) override;
  bool is_whole() const override { return stream_->has_end(); }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override { return deadline_; }

  // Once the transfer has ended.
  ApiReading reading(const ApiShape& shape, const HttpHead& head,
                     std::chrono::system_clock::time_point now) const;
  std::optional<Clock::time_point> first_token() const { return first_token_; }
  // Of all bytes that came. To be called once.
  std::string sha256() { return hash_.hex(); }

 private:
  enum class Kind { kUnknown, kStream, kWhole };

  void feed(std::string_view bytes);

  const std::unique_ptr<ApiStream> stream_;
  const Clock& clock_;
  SseParser parser_;
  Sha256 hash_;
  Kind kind_ = Kind::kUnknown;
  std::string body_;  // of a kWhole answer, the beginning of one that is not known yet, or of a stream
                      // without events
  bool has_events_ = false;
  std::optional<Clock::time_point> first_token_;
  // By the machine's clock, whatever clock_ is: the client keeps to it.
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

}  // namespace micius
