// printf-style formatting of texts.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "engine/chat/failure.h"
#include "engine/chat/operators.h"

namespace micius::jinja {
namespace {

constexpr int kMaxWidth = 1000;

class Formatter {
 public:
  Formatter(std::string_view format, const Value& arguments) : format_(format), arguments_(arguments) {
    const auto* sequence = arguments.get<Sequence>();
    if (sequence != nullptr && sequence->kind == Sequence::Kind::kTuple) {
      values_ = *sequence->items;
    } else {
      values_ = {arguments};
    }
  }

  std::string run() {
    while (i_ < format_.size()) {
      const std::size_t sign = std::min(format_.find('%', i_), format_.size());
      out_ += format_.substr(i_, sign - i_);
      i_ = sign + 1;
      if (sign < format_.size()) directive();
      if (out_.size() > kMaxOutput) raise(FailureKind::kLimit, "a text of more than {} bytes", kMaxOutput);
    }
    if (used_ < values_.size() && !arguments_.is<Dict>())
      raise_type_error("not all arguments converted during string formatting");
    return std::move(out_);
  }

 private:
  char at(std::size_t i) const {
    if (i >= format_.size()) raise_python("ValueError", "incomplete format");
    return format_[i];
  }

  int number() {
    int value = 0;
    while (at(i_) >= '0' && at(i_) <= '9') value = std::min(value * 10 + (format_[i_++] - '0'), kMaxWidth);
    return value;
  }

  const Value& take() {
    if (used_ >= values_.size()) raise_type_error("not enough arguments for format string");
    return values_[used_++];
  }

  void directive() {
    if (at(i_) == '(') raise(FailureKind::kUnsupported, "'%(name)' in a format");
    std::string flags;
    while (std::string_view("-+ 0#").find(at(i_)) != std::string_view::npos) flags += format_[i_++];
    const int width = number();
    int precision = -1;
    if (at(i_) == '.') {
      ++i_;
      precision = number();
    }
    const char kind = at(i_++);
    if (kind == '%') {
      out_ += '%';
      return;
    }
    const Value& value = take();
    std::string text;
    if (kind == 's' || kind == 'r') {
      text = kind == 's' ? to_text(value) : to_repr(value);
      if (precision >= 0)
        text = encode_utf8(decode_utf8(text).substr(0, static_cast<std::size_t>(precision)));
      flags.erase(std::remove(flags.begin(), flags.end(), '0'), flags.end());
    } else if (kind == 'c' && value.is_text() && code_points(value.text()) == 1) {
      text = value.text();
    } else {
      text = number_text(kind, flags, precision, value);
    }
    pad(std::move(text), flags, width);
  }

  static std::string number_text(char kind, const std::string& flags, int precision, const Value& value) {
    const auto number = value.number();
    if (!number) raise_type_error("%{} format: a real number is required, not {}", kind, type_name(value));
    const bool plus = flags.find('+') != std::string::npos, blank = flags.find(' ') != std::string::npos;
    const std::string sign = plus && *number >= 0 ? "+" : blank && *number >= 0 ? " " : "";
    if (std::string_view("diuxXo").find(kind) != std::string_view::npos) {
      if (!value.integer() && (!(*number > -9e18) || !(*number < 9e18)))
        raise(FailureKind::kUnsupported, "an integer of more than 64 bits");
      const std::int64_t integer = value.integer() ? *value.integer() : static_cast<std::int64_t>(*number);
      if (kind == 'x') return sign + fmt::format("{:x}", integer);
      if (kind == 'X') return sign + fmt::format("{:X}", integer);
      if (kind == 'o') return sign + fmt::format("{:o}", integer);
      return sign + std::to_string(integer);
    }
    const int digits = precision < 0 ? 6 : precision;
    if (kind == 'f' || kind == 'F') return sign + fmt::format("{:.{}f}", *number, digits);
    if (kind == 'e') return sign + fmt::format("{:.{}e}", *number, digits);
    if (kind == 'g') return sign + fmt::format("{:.{}g}", *number, digits);
    raise_python("ValueError", "unsupported format character '{}'", kind);
  }

  void pad(std::string text, const std::string& flags, int width) {
    const auto size = static_cast<int>(code_points(text));
    const auto missing = static_cast<std::size_t>(std::max(0, width - size));
    if (flags.find('-') != std::string::npos) {
      text.append(missing, ' ');
    } else if (flags.find('0') != std::string::npos) {
      const bool has_sign = !text.empty() && std::string_view("+- ").find(text[0]) != std::string_view::npos;
      text.insert(has_sign ? 1 : 0, missing, '0');
    } else {
      text.insert(0, missing, ' ');
    }
    out_ += text;
  }

  std::string_view format_;
  const Value& arguments_;
  std::vector<Value> values_;
  std::size_t used_ = 0, i_ = 0;
  std::string out_;
};

}  // namespace

std::string format_percent(std::string_view format, const Value& arguments) {
  return Formatter(format, arguments).run();
}

}  // namespace micius::jinja
