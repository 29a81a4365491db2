#include "scorers/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr std::uint32_t kSteps = 1'000'000;     // of a match from one place
constexpr std::uint32_t kDepth = 10'000;        // of backtracking
constexpr std::uint32_t kHeapKib = 20'000;      // for it
constexpr std::size_t kMostPattern = 64 << 10;  // of a pattern

struct FreeCode {
  void operator()(pcre2_code* code) const { ::pcre2_code_free(code); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { ::pcre2_match_context_free(context); }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const { ::pcre2_match_data_free(data); }
};
using CodePtr = std::unique_ptr<pcre2_code, FreeCode>;
using ContextPtr = std::unique_ptr<pcre2_match_context, FreeContext>;

CodePtr compile(std::string_view pattern, const std::string& where) {
  if (!is_valid_utf8(pattern) || pattern.size() > kMostPattern)
    fail(ErrorCode::kUsage, "{}: a pattern must be UTF-8 of at most {} bytes", where, kMostPattern);
  int error = 0;
  PCRE2_SIZE at = 0;
  // \C would look inside a code point.
  CodePtr code(::pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                               PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &at, nullptr));
  if (code) return code;
  unsigned char message[200];
  ::pcre2_get_error_message(error, message, sizeof message);
  fail(ErrorCode::kUsage, "{}: pattern '{}' is wrong at byte {}: {}", where, shorten(pattern, 80), at,
       reinterpret_cast<const char*>(message));
}

std::string_view without_cut_code_point(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

void append_expanded(std::string& out, std::string_view replacement, const PatternMatch& match) {
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const char next = i + 1 < replacement.size() ? replacement[i + 1] : '\0';
    if (replacement[i] != '\\' || next < '1' || next > '9') {
      out += replacement[i];
      continue;
    }
    const auto group = static_cast<std::size_t>(next - '0');
    if (group < match.groups.size()) out += match.groups[group];
    ++i;
  }
}

}  // namespace

struct Pattern::Code {
  CodePtr code;
  ContextPtr context;
  std::uint32_t groups = 0;
};

Pattern::Pattern(std::string_view pattern, const std::string& where) : code_(std::make_unique<Code>()) {
  code_->code = compile(pattern, where);
  code_->context.reset(::pcre2_match_context_create(nullptr));
  ::pcre2_set_match_limit(code_->context.get(), kSteps);
  ::pcre2_set_depth_limit(code_->context.get(), kDepth);
  ::pcre2_set_heap_limit(code_->context.get(), kHeapKib);
  ::pcre2_pattern_info(code_->code.get(), PCRE2_INFO_CAPTURECOUNT, &code_->groups);
}

Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

std::size_t Pattern::groups() const { return code_->groups; }

bool Pattern::for_each(std::string_view text, const std::function<bool(const PatternMatch&)>& fn) const {
  text = without_cut_code_point(text, kMostBytes);
  const std::unique_ptr<pcre2_match_data, FreeData> data(
      ::pcre2_match_data_create_from_pattern(code_->code.get(), nullptr));
  PatternMatch match;
  match.groups.resize(code_->groups + 1);
  std::uint32_t options = 0;  // the first match checks the UTF-8
  for (std::size_t from = 0; from <= text.size(); from = match.end) {
    const int found = ::pcre2_match(code_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                    from, options, data.get(), code_->context.get());
    if (found == PCRE2_ERROR_NOMATCH) return true;
    if (found < 0) return false;
    const PCRE2_SIZE* ends = ::pcre2_get_ovector_pointer(data.get());
    // \K may put the beginning behind the end; Python has none.
    if (ends[0] > ends[1] || ends[1] < from) return false;
    match.begin = ends[0];
    match.end = ends[1];
    for (std::size_t i = 0; i < match.groups.size(); ++i) {
      const bool took_part = ends[2 * i] != PCRE2_UNSET;
      match.groups[i] =
          took_part ? text.substr(ends[2 * i], ends[2 * i + 1] - ends[2 * i]) : std::string_view();
    }
    if (!fn(match)) return true;
    // After an empty match the next one may begin here, but not be empty here.
    options = PCRE2_NO_UTF_CHECK | (match.begin == match.end ? PCRE2_NOTEMPTY_ATSTART : 0);
  }
  return true;
}

std::string Pattern::replace_all(std::string_view text, std::string_view replacement) const {
  std::string out;
  std::size_t done = 0;
  const bool whole = for_each(text, [&](const PatternMatch& match) {
    out += text.substr(done, match.begin - done);
    append_expanded(out, replacement, match);
    done = match.end;
    return true;
  });
  if (!whole) return std::string(text);
  out += text.substr(done);
  return out;
}

std::string escape_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}-# \t\n\r\v\f&~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace micius
