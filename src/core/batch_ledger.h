// What of a run was handed to a provider as a batch, so that a later process fetches it and asks nothing
// twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace micius {

struct SentBatch {
  std::int64_t ref = 0;                 // the ledger's own number
  std::string token;                    // by which the batch is known among the provider's
  std::optional<std::string> batch_id;  // the provider's; absent: it may have been made or not
  std::string sent_at;                  // RFC 3339, UTC
  std::size_t requests = 0;             // that it was sent with
  std::vector<std::string> questions;   // whose answers are still wanted of it
};

// What a call has written is there after a kill. For one thread. Throws Error{kIo}.
class BatchLedger {
 public:
  virtual ~BatchLedger() = default;
  // In the order in which they were sent, but for those without a question.
  [[nodiscard]] virtual std::vector<SentBatch> sent() const = 0;
  // Before it is sent; gives its ref.
  [[nodiscard]] virtual std::int64_t add(const std::string& token,
                                         const std::vector<std::string>& questions) = 0;
  // Before it is waited for.
  virtual void name(std::int64_t ref, const std::string& batch_id) = 0;
  // They are not wanted of it any more: it has no answer to them.
  virtual void forget(std::int64_t ref, const std::vector<std::string>& questions) = 0;
};

}  // namespace micius
