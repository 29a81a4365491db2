// Sends the requests of a speed run and waits for their ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "cli/load_client.h"
#include "net/http.h"

namespace micius {

class LoadRun {
 public:
  using MakeRequest = std::function<HttpRequest(std::size_t number)>;

  // Borrows all. `stop` ends the run with what has ended until then.
  LoadRun(HttpClient& client, MakeRequest make_request, const Clock& clock, std::stop_token stop);
  ~LoadRun();
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  // Open loop: each request at its time from now, whatever has become of those before it.
  void send_at(const std::vector<std::chrono::nanoseconds>& times);
  // Closed loop: so many clients, each its next request when its last has ended, until `requests` were sent
  // or `duration` is over; one of them must be there.
  void send_by(std::size_t clients, std::optional<std::size_t> requests,
               std::optional<std::chrono::nanoseconds> duration);

  // In the order in which they ended; after one of the above.
  const std::vector<LoadSample>& samples() const { return samples_; }
  std::chrono::nanoseconds wall() const;  // from the begin to the last end

 private:
  void send(std::size_t number, Clock::time_point planned);
  void take(LoadCall& call);
  void wait_for_ends();

  HttpClient& client_;
  const MakeRequest make_request_;
  const Clock& clock_;
  const std::stop_token stop_;
  Clock::time_point begin_{};

  std::mutex mutex_;  // of what follows
  std::condition_variable_any changed_;
  std::map<LoadCall*, std::unique_ptr<LoadCall>> calls_;
  std::vector<std::unique_ptr<LoadCall>> ended_;  // kept until the client has left them
  std::vector<LoadSample> samples_;
};

}  // namespace micius
