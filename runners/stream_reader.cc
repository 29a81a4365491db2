#include "runners/stream_reader.h"

#include <utility>

#include "base/text.h"
#include "net/api_json.h"

namespace micius {
namespace {

constexpr std::chrono::seconds kAfterFinish{5}, kAfterEnd{1};
constexpr std::size_t kBeginningBytes = 4096;

}  // namespace

StreamReader::StreamReader(std::unique_ptr<ApiStream> stream, const Clock& clock,
                           std::chrono::milliseconds longest_wait)
    : stream_(std::move(stream)), clock_(clock), deadline_(std::chrono::steady_clock::now() + longest_wait) {}

bool StreamReader::read(const HttpHead& head, std::string_view bytes) {
  hash_.update(bytes);
  if (head.status != 200) kind_ = Kind::kWhole;
  if (kind_ == Kind::kUnknown) {
    body_ += bytes;
    const std::size_t first = body_.find_first_not_of(" \t\r\n\xEF\xBB\xBF");  // a byte order mark may lead
    if (first == std::string::npos) return body_.size() <= kBeginningBytes;
    const bool is_whole = std::string_view("{[<").find(body_[first]) != std::string_view::npos;
    kind_ = is_whole ? Kind::kWhole : Kind::kStream;
    if (is_whole) {
      deadline_.reset();
      return true;
    }
    feed(std::exchange(body_, {}));
  } else if (kind_ == Kind::kWhole) {
    body_ += bytes;
    return true;
  } else {
    feed(bytes);
  }
  return !parser_.is_too_large() && (!stream_->is_over() || stream_->has_end());
}

void StreamReader::feed(std::string_view bytes) {
  const bool had_end = stream_->has_end(), was_over = stream_->is_over();
  for (const SseEvent& event : parser_.feed(bytes)) {
    has_events_ = true;
    stream_->take(event);
    if (!first_token_ && stream_->has_token()) {
      first_token_ = clock_.now();
      deadline_.reset();
    }
  }
  if (!has_events_ && body_.size() < kBeginningBytes) body_ += bytes.substr(0, kBeginningBytes);
  const auto now = std::chrono::steady_clock::now();
  if (stream_->is_over() && !was_over) {
    deadline_ = now + kAfterEnd;
  } else if (stream_->has_end() && !had_end) {
    deadline_ = now + kAfterFinish;
  }
}

ApiReading StreamReader::reading(const ApiShape& shape, const HttpHead& head,
                                 std::chrono::system_clock::time_point now) const {
  if (kind_ == Kind::kWhole || head.status != 200) return shape.read(head, body_, now);
  if (parser_.is_too_large()) {
    ApiError error = no_answer(ApiErrorKind::kBadResponse, "a line or event of more than 8 MiB");
    error.may_retry = false;
    return error;
  }
  if (!has_events_ && !strip(body_).empty() && body_.find("data") == std::string::npos)
    return no_answer(ApiErrorKind::kBadResponse, "no stream of events: " + kept(strip(body_)));
  return stream_->reading();
}

}  // namespace micius
