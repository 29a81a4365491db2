#include "runners/api_pace.h"

#include <algorithm>

namespace micius {
namespace {

using Seconds = std::chrono::duration<double>;

ApiPace::Time after(ApiPace::Time now, Seconds wait) {
  return now + std::chrono::ceil<ApiPace::Time::duration>(wait);
}

// How many go in a quarter of the time that a place is kept.
std::size_t in_a_quarter(Seconds each) {
  constexpr std::size_t kMost = 256;
  if (each.count() <= 0) return kMost;
  return static_cast<std::size_t>(std::clamp(Seconds(ApiPace::kKept) / 4 / each, 1.0, double{kMost}));
}

}  // namespace

ApiPace::Time ApiPace::earliest(Time now, double tokens) {
  if (!limits_.has_pace()) return now;
  was_late_ = drop_old(now) || was_late_;
  const auto time = [&] { return std::max(time_of(requests_, 1), time_of(tokens_, tokens)); };
  if (time() == Time::max()) draw(tokens);
  return time();
}

void ApiPace::sent(double tokens) {
  take(requests_, 1);
  take(tokens_, tokens);
}

// A place of one line waits for that of the other: who let it go would draw two new ones, further and further
// back.
bool ApiPace::drop_old(Time now) {
  bool dropped = false;
  for (std::deque<Places>* line : {&requests_, &tokens_}) {
    while (!line->empty() && line->front().both_at + kKept < now) {
      line->pop_front();
      dropped = true;
    }
  }
  return dropped;
}

// Twice as many as the last time where all were used, half as many where some grew old.
void ApiPace::draw(double tokens) {
  at_once_ = std::clamp<std::size_t>(was_late_ ? at_once_ / 2 : 2 * at_once_, 1, most_);
  was_late_ = false;
  const PaceGrant grant = limits_.draw(at_once_, static_cast<double>(at_once_) * tokens);
  const Time now = clock_.now();
  for (std::size_t i = 0; i < at_once_; ++i) {
    const auto place = static_cast<double>(i);
    const Time request_at = after(now, grant.requests.first + place * grant.requests.each);
    const Time tokens_at = after(now, grant.tokens.first + place * tokens * grant.tokens.each);
    requests_.push_back({request_at, std::max(request_at, tokens_at), 1});
    tokens_.push_back({tokens_at, std::max(request_at, tokens_at), tokens});
  }
  most_ = std::min(in_a_quarter(grant.requests.each), in_a_quarter(tokens * grant.tokens.each));
}

ApiPace::Time ApiPace::time_of(const std::deque<Places>& line, double amount) {
  for (const Places& places : line) {
    amount -= places.amount;
    if (amount <= 0) return places.at;
  }
  return Time::max();
}

void ApiPace::take(std::deque<Places>& line, double amount) {
  while (amount > 0 && !line.empty()) {
    Places& places = line.front();
    const double taken = std::min(amount, places.amount);
    amount -= taken;
    places.amount -= taken;
    if (places.amount <= 0) line.pop_front();
  }
}

}  // namespace micius
