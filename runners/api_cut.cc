#include "runners/api_cut.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>
#include <utility>

#include "base/text.h"

namespace micius {
namespace {

constexpr int kMargin = 16;  // tokens that a chat's own marks take

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<int> number_of(std::string_view digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(number) : std::nullopt;
}

// The number right behind the mark.
std::optional<int> number_behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + mark.size());
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_digit);
  return number_of(rest.substr(0, static_cast<std::size_t>(end - rest.begin())));
}

// The number right before the mark.
std::optional<int> number_before(std::string_view text, std::string_view mark) {
  const std::size_t end = text.find(mark);
  if (end == std::string_view::npos) return std::nullopt;
  std::size_t begin = end;
  while (begin > 0 && is_digit(text[begin - 1])) --begin;
  return number_of(text.substr(begin, end - begin));
}

std::optional<int> first_of(std::initializer_list<std::optional<int>> numbers) {
  for (const auto& number : numbers)
    if (number) return number;
  return std::nullopt;
}

}  // namespace

std::optional<ContextNumbers> context_numbers(std::string_view message) {
  const std::string words = lower_ascii(message);
  const auto limit =
      first_of({number_behind(words, "context length is "), number_behind(words, "context length is only "),
                number_behind(words, "context size ("), number_before(words, " maximum")});
  const auto prompt =
      first_of({number_before(words, " in the messages"), number_before(words, " in the prompt"),
                number_behind(words, "resulted in "), number_behind(words, "too long: "),
                number_behind(words, "you requested "), number_behind(words, "request (")});
  if (!limit || !prompt || *limit <= 0 || *prompt <= 0) return std::nullopt;
  return ContextNumbers{*limit, *prompt};
}

std::size_t bytes_to_keep(std::size_t bytes, const std::optional<ContextNumbers>& numbers, int max_tokens) {
  if (!numbers || numbers->prompt <= 0) return bytes / 2;
  // Text is not spread evenly over its tokens: what is left may have more of them than its share.
  constexpr double kSafety = 0.9;
  const double room = std::max(0, numbers->limit - max_tokens - kMargin);
  const double share = std::min(1.0, kSafety * room / numbers->prompt);
  return static_cast<std::size_t>(share * static_cast<double>(bytes));
}

std::size_t bytes_that_can_be_cut(const std::vector<Message>& messages) {
  std::size_t bytes = 0;
  for (const Message& message : messages)
    if (message.role != Role::kSystem) bytes += message.content.size();
  return bytes;
}

void cut_beginning(std::vector<Message>& messages, std::size_t keep) {
  const std::size_t all = bytes_that_can_be_cut(messages);
  std::size_t drop = all - std::min(keep, all);
  std::vector<Message> left;
  bool has_begun = false;  // with what is left of the conversation
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Message& message = messages[i];
    const bool is_last = i + 1 == messages.size();
    if (message.role == Role::kSystem) {
      left.push_back(std::move(message));
      continue;
    }
    const std::size_t dropped = std::min(drop, message.content.size());
    drop -= dropped;
    const bool is_gone = dropped > 0 && dropped == message.content.size();
    if (!is_last && (is_gone || (!has_begun && message.role == Role::kAssistant))) continue;
    std::size_t begin = dropped;  // of a whole character
    while (begin < message.content.size() && (message.content[begin] & 0xC0) == 0x80) ++begin;
    message.content.erase(0, begin);
    has_begun = true;
    left.push_back(std::move(message));
  }
  messages = std::move(left);
}

}  // namespace micius
