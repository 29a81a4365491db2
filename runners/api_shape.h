// How an API writes its requests and answers, apart from how they travel. Pure: values and text in, values
// and text out; nothing that a server sends makes them throw.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "core/completion.h"
#include "core/runner.h"
#include "net/api_error.h"
#include "net/api_json.h"
#include "net/http.h"
#include "net/sse.h"

namespace micius {

// Which fields a server takes. Learned: a 400 that names one takes it out for the rest of the run.
struct ApiFields {
  std::string max_tokens = "max_tokens";  // or "max_completion_tokens", or "": left out
  bool may_rename_max_tokens = true;      // to the other of the two names, once
  bool temperature = true, top_p = true, top_k = true, min_p = true, stop = true, seed = true;
  bool stream_options = true;
  bool operator==(const ApiFields&) const = default;
};

// Takes out or renames the field. False if it is none of ours, or already gone.
bool drop_field(ApiFields& fields, std::string_view name);

// What an answer says, in the words of OpenAI's chat API whichever API it came from: cached tokens are part
// of the prompt's, reasoning is part of the completion's.
struct ApiReply {
  std::optional<std::string> text;  // absent where the content is null, which is not ""
  StopReason stop_reason = StopReason::kStop;
  std::string finish;  // the server's own word for it
  // 0 where the server does not say
  int prompt_tokens = 0, cached_tokens = 0, cache_write_tokens = 0, completion_tokens = 0;
  std::string model, fingerprint;  // "" where the server does not say
  BodyMarks marks;
};
using ApiReading = std::variant<ApiReply, ApiError>;

inline constexpr std::size_t kLongestAnswer = std::size_t{4} << 20;  // bytes of text

// Gathers the events of one streamed answer.
class ApiStream {
 public:
  virtual ~ApiStream() = default;
  virtual void take(const SseEvent& event) = 0;
  virtual bool has_token() const = 0;      // one that the model wrote, of its reasoning too
  virtual bool has_end() const = 0;        // why the model stopped was said: the text is all there
  virtual bool is_over() const = 0;        // nothing follows, or nothing that follows counts
  virtual ApiReading reading() const = 0;  // of what came so far
};

enum class ApiDelivery { kWhole, kStreamed };

class ApiShape {
 public:
  virtual ~ApiShape() = default;
  virtual std::string path() const = 0;  // behind the base URL
  // Fields that say nothing (top_p 1, no stop) are left out.
  virtual Json body(const Request& request, const ApiFields& fields, ApiDelivery delivery) const = 0;
  virtual ApiReading read(const HttpHead& head, const std::string& body,
                          std::chrono::system_clock::time_point now) const = 0;
  virtual std::unique_ptr<ApiStream> stream() const = 0;
};

// What is asked of each: the contents of a kText request as one text, joined by blank lines.
std::string one_text(const std::vector<Message>& messages);

// Cuts the text before the first stop text to appear. True if there was one.
bool cut_at_stop(std::string& text, const std::vector<std::string>& stop);

}  // namespace micius
