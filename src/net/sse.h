// Server-sent events: bytes in, events out, however the bytes are cut.
//
//   SseParser parser;
//   for (const SseEvent& event : parser.feed(bytes)) use(event.name, event.data);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

struct SseEvent {
  std::string name;  // of its `event:` line, or ""
  std::string data;  // its `data:` lines, joined by LF; bytes as they came
  bool operator==(const SseEvent&) const = default;
};

// As the HTML standard reads them (section 9.2.6): lines end at LF, CR or CRLF, a byte order mark may lead,
// comments and unknown fields are skipped, an event without a data line and one that its empty line does not
// end are none. `id:` and `retry:` are skipped as well: a chat cannot be gone on with from its middle.
class SseParser {
 public:
  // `most_bytes`: of a line, and of an event's data.
  explicit SseParser(std::size_t most_bytes = std::size_t{8} << 20) : most_bytes_(most_bytes) {}

  // The events that `bytes` complete, in order; none once is_too_large().
  std::vector<SseEvent> feed(std::string_view bytes);
  bool is_too_large() const { return is_too_large_; }

 private:
  void end_line(std::vector<SseEvent>& events);
  void take_field(std::string_view line);

  const std::size_t most_bytes_;
  std::string line_, data_, name_;
  bool has_data_ = false, is_first_line_ = true, after_cr_ = false, is_too_large_ = false;
};

}  // namespace micius
