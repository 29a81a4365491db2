#include "net/governor.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "base/text.h"

namespace micius {
namespace {

using std::chrono::seconds;

Governor::Time after(Governor::Time now, Seconds wait) {
  return now + std::chrono::ceil<std::chrono::steady_clock::duration>(wait);
}

std::optional<double> count_in(const HttpHead& head, std::string_view name) {
  const auto text = head.header(name);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || stop != text->data() + text->size() || value < 0) return std::nullopt;
  return static_cast<double>(value);
}

enum class Counts { kRequests, kTokens };
struct LimitHeaders {
  std::string_view limit, remaining, reset;
  Counts counts;
};
// OpenAI's and its likes', then Anthropic's.
constexpr LimitHeaders kLimitHeaders[] = {
    {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests",
     Counts::kRequests},
    {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", Counts::kTokens},
    {"anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining",
     "anthropic-ratelimit-requests-reset", Counts::kRequests},
    {"anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
     "anthropic-ratelimit-tokens-reset", Counts::kTokens}};

// A duration, or a time by the clock of the answer's own Date.
std::optional<Seconds> reset_in(const HttpHead& head, std::string_view name) {
  const auto text = head.header(name);
  if (!text) return std::nullopt;
  if (const auto wait = parse_reset(*text)) return wait;
  const auto date = head.header("date");
  const auto from = date ? parse_http_date(*date) : std::nullopt;
  const auto until = parse_rfc3339(*text);
  if (!from || !until || *until < *from) return std::nullopt;
  return Seconds(*until - *from);
}

}  // namespace

Governor::Bucket::Bucket(std::optional<double> per_minute, Time now) : filled_(now) {
  if (!per_minute) return;
  per_second_ = *per_minute / 60;
  capacity_ = level_ = std::max(1.0, *per_second_ / 2);
}

Governor::Time Governor::Bucket::earliest(Time now, double amount) {
  if (!per_second_) return now;
  level_ = std::min(capacity_, level_ + *per_second_ * Seconds(now - filled_).count());
  filled_ = now;
  const double lacking = std::min(amount, capacity_) - level_;
  // A hair more than nothing is rounding.
  return lacking <= 1e-9 * capacity_ ? now : after(now, Seconds(lacking / *per_second_));
}

Governor::Governor(const GovernorOptions& options, Time now)
    : most_lanes_(std::max<std::size_t>(1, options.concurrency)),
      lanes_(std::clamp<std::size_t>(options.first_concurrency, 1, most_lanes_)),
      requests_(options.requests_per_minute, now),
      tokens_(options.tokens_per_minute, now),
      not_before_(now),
      halved_(now - seconds(1)) {}

Governor::Time Governor::earliest(Time now, double tokens) {
  if (in_flight_ >= lanes_) return Time::max();
  return std::max({not_before_, requests_.earliest(now, 1), tokens_.earliest(now, tokens)});
}

void Governor::sent(Time now, double tokens) {
  requests_.earliest(now, 1);
  tokens_.earliest(now, tokens);
  requests_.take(1);
  tokens_.take(tokens);
  ++in_flight_;
}

void Governor::succeeded(Time) {
  --in_flight_;
  failures_in_a_row_ = 0;
  if (++successes_ % kSuccessesPerLane == 0) lanes_ = std::min(lanes_ + 1, most_lanes_);
}

void Governor::note_failure(Time now) {
  --in_flight_;
  if (failures_in_a_row_++ == 0) first_failure_ = now;
}

void Governor::failed(Time now) { note_failure(now); }

void Governor::was_busy(Time now) {
  note_failure(now);
  if (now - halved_ < seconds(1)) return;
  halved_ = now;
  successes_ = 0;
  lanes_ = std::max<std::size_t>(1, lanes_ / 2);
}

void Governor::ended() { --in_flight_; }

void Governor::hold(Time until) { not_before_ = std::max(not_before_, until); }

void Governor::learn(const HttpHead& head, Time now, double tokens) {
  for (const LimitHeaders& names : kLimitHeaders) {
    const auto left = count_in(head, names.remaining);
    const auto reset = reset_in(head, names.reset);
    const double needed = names.counts == Counts::kTokens ? tokens : 1;
    if (!left || !reset || *left >= needed) continue;
    // The limit fills steadily until the reset: what is lacking is there after its share of the time.
    const auto limit = count_in(head, names.limit);
    const bool has_share = names.counts == Counts::kTokens && limit && *limit > *left;
    const double share = has_share ? std::min(1.0, (needed - *left) / (*limit - *left)) : 1.0;
    hold(after(now, *reset * share));
  }
}

bool Governor::is_dead(Time now) const {
  return failures_in_a_row_ >= kFailuresToStop && now - first_failure_ >= seconds(60);
}

}  // namespace micius
