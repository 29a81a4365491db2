#include "net/sse.h"

#include <utility>

namespace micius {

std::vector<SseEvent> SseParser::feed(std::string_view bytes) {
  std::vector<SseEvent> events;
  while (!bytes.empty() && !is_too_large_) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = bytes.find_first_of("\r\n");
    line_ += bytes.substr(0, end);
    if (line_.size() > most_bytes_) {
      is_too_large_ = true;
      break;
    }
    if (end == std::string_view::npos) break;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_line(events);
  }
  return events;
}

void SseParser::end_line(std::vector<SseEvent>& events) {
  static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string_view line = line_;
  if (std::exchange(is_first_line_, false) && line.starts_with(kByteOrderMark))
    line.remove_prefix(kByteOrderMark.size());
  if (!line.empty()) {
    take_field(line);
  } else {
    if (std::exchange(has_data_, false)) events.push_back({std::move(name_), std::move(data_)});
    name_.clear();
    data_.clear();
  }
  line_.clear();
}

void SseParser::take_field(std::string_view line) {
  const std::size_t colon = line.find(':');  // at 0: a comment, whose name is ""
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") name_ = value;
  if (name != "data") return;
  if (std::exchange(has_data_, true)) data_ += '\n';
  data_ += value;
  is_too_large_ = data_.size() > most_bytes_;
}

}  // namespace micius
