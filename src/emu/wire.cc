#include "emu/wire.h"

#include <charconv>
#include <cstdint>

#include "base/variable.h"

namespace micius::emu {
namespace {

void put(std::string& bytes, char letter, std::string_view text) {
  bytes += letter;
  const auto size = static_cast<std::uint32_t>(text.size());
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(size >> shift & 0xff);
  bytes += text;
}

struct Field {
  char letter;
  std::string_view text;
};

// Takes the next field off `bytes`.
std::optional<Field> take(std::string_view& bytes) {
  if (bytes.size() < 5) return std::nullopt;
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < 4; ++i)
    size |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[1 + i])) << (8 * i);
  if (bytes.size() - 5 < size) return std::nullopt;
  const Field field{bytes[0], bytes.substr(5, size)};
  bytes.remove_prefix(5 + std::size_t{size});
  return field;
}

bool put_variable(std::map<std::string, std::string>& env, std::string_view text) {
  const auto variable = read_variable(text);
  if (variable) env.insert_or_assign(std::string(variable->name), std::string(variable->value));
  return variable.has_value();
}

template <typename Number>
bool read(std::string_view text, Number& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string encode_call(const Call& call) {
  std::string bytes;
  for (const std::string& word : call.argv) put(bytes, 'a', word);
  for (const auto& [name, value] : call.env) put(bytes, 'e', name + "=" + value);
  put(bytes, 'c', call.cwd);
  for (const auto& [path, content] : call.files) {
    put(bytes, 'p', path);
    if (content) put(bytes, 'd', *content);
  }
  return bytes;
}

std::optional<Call> decode_call(std::string_view bytes) {
  Call call;
  std::string path;
  while (!bytes.empty()) {
    const auto field = take(bytes);
    if (!field) return std::nullopt;
    switch (field->letter) {
      case 'a':
        call.argv.emplace_back(field->text);
        break;
      case 'e':
        if (!put_variable(call.env, field->text)) return std::nullopt;
        break;
      case 'c':
        call.cwd = field->text;
        break;
      case 'p':
        path = field->text;
        call.files[path] = std::nullopt;
        break;
      case 'd':
        if (path.empty()) return std::nullopt;
        call.files[path] = std::string(field->text);
        break;
      default:
        return std::nullopt;
    }
  }
  if (call.argv.empty()) return std::nullopt;
  return call;
}

std::string encode_outcome(const Outcome& outcome) {
  std::string bytes;
  for (const std::string& path : outcome.needs) put(bytes, 'n', path);
  if (!outcome.needs.empty()) return bytes;
  put(bytes, 'o', outcome.out);
  put(bytes, 'E', outcome.err);
  for (const FileWrite& write : outcome.writes) {
    put(bytes, write.executable ? 'x' : 'w', write.path);
    put(bytes, 'd', write.content);
  }
  for (const std::string& word : outcome.exec) put(bytes, 'X', word);
  for (const auto& [name, value] : outcome.exec_env) put(bytes, 'e', name + "=" + value);
  put(bytes, 'q', std::to_string(outcome.exit));
  put(bytes, 't', std::to_string(outcome.advance_ns));
  return bytes;
}

std::optional<Outcome> decode_outcome(std::string_view bytes) {
  Outcome outcome;
  while (!bytes.empty()) {
    const auto field = take(bytes);
    if (!field) return std::nullopt;
    const std::string_view text = field->text;
    bool good = true;
    switch (field->letter) {
      case 'n':
        outcome.needs.emplace_back(text);
        break;
      case 'o':
        outcome.out = text;
        break;
      case 'E':
        outcome.err = text;
        break;
      case 'w':
      case 'x':
        outcome.writes.push_back({std::string(text), {}, field->letter == 'x'});
        break;
      case 'd':
        good = !outcome.writes.empty();
        if (good) outcome.writes.back().content = text;
        break;
      case 'X':
        outcome.exec.emplace_back(text);
        break;
      case 'e':
        good = put_variable(outcome.exec_env, text);
        break;
      case 'q':
        good = read(text, outcome.exit);
        break;
      case 't':
        good = read(text, outcome.advance_ns);
        break;
      default:
        good = false;
    }
    if (!good) return std::nullopt;
  }
  return outcome;
}

}  // namespace micius::emu
