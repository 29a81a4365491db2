// How long servers ask to wait, and how long to wait unasked.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/rng.h"
#include "net/http.h"

namespace micius {

using Seconds = std::chrono::duration<double>;

// A sum of <decimal><unit> with h, m, s, ms, us, µs, ns, as Go prints it ("6m0s", "59.9s", "120ms"), or a
// plain number of seconds. Absent for anything else, what is negative, and more than ten years.
std::optional<Seconds> parse_reset(std::string_view text);

// What the answer asks for: retry-after-ms, else retry-after as seconds or as an HTTP date (from the answer's
// own Date where it has one, else from `now`). Absent where none is there or none makes sense.
std::optional<Seconds> retry_after(const HttpHead& head, std::chrono::system_clock::time_point now);

// An HTTP date in any of its three forms (RFC 9110, section 5.6.7).
std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text);

// An RFC 3339 time, as Anthropic's limits have it: 2026-11-02T10:00:30Z, with or without a fraction, in any
// zone.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

// Exponential back-off with full jitter: uniform in [0, min(longest, first * 2^retry)), retry from 0.
Seconds jittered_wait(Rng& rng, int retry, Seconds first, Seconds longest);

}  // namespace micius
