#include "scorers/shell_reader.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/variable.h"

namespace micius {
namespace {

constexpr std::size_t kMaxText = 64 << 10;
constexpr std::size_t kMaxNesting = 32;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_meta(char c) { return std::string_view("|&;<>()\n \t").find(c) != std::string_view::npos; }

// Longest first, so that the first that fits is the operator.
constexpr std::array<std::string_view, 21> kOperators = {"&>>", "<<<", "<<-", ";;", "&&", "||", "|&",
                                                         "&>",  ">>",  "<<",  ">&", "<&", ">|", "<>",
                                                         "|",   "&",   ";",   "<",  ">",  "(",  ")"};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::optional<std::vector<ShellToken>> run() {
    while (good_ && at_ < text_.size()) {
      const char c = text_[at_];
      if (is_blank(c) || c == '\r') {
        ++at_;
      } else if (text_.substr(at_, 2) == "\\\n") {
        at_ += 2;
      } else if (c == '\n') {
        ++at_;
        add_operator(";");
      } else if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (!read_operator()) {
        read_word();
      }
    }
    if (!good_) return std::nullopt;
    while (!tokens_.empty() && is_separator(tokens_.back())) tokens_.pop_back();
    return std::move(tokens_);
  }

 private:
  static bool is_separator(const ShellToken& token) { return token.is_operator && token.word.value == ";"; }

  // A ";" after nothing or after an operator that goes on says nothing.
  void add_operator(std::string_view mark) {
    if (mark == ";") {
      if (tokens_.empty() || is_separator(tokens_.back())) return;
      const std::string& before = tokens_.back().word.value;
      if (tokens_.back().is_operator && (before == "|" || before == "&&" || before == "||")) return;
    }
    tokens_.push_back({true, {std::string(mark)}});
  }

  // A digit right before < or > belongs to the operator, and so does the number of a file behind >&.
  bool read_operator() {
    std::size_t begin = at_;
    if (text_[at_] >= '0' && text_[at_] <= '9' && at_ + 1 < text_.size() &&
        (text_[at_ + 1] == '<' || text_[at_ + 1] == '>'))
      ++begin;
    for (const std::string_view mark : kOperators) {
      if (text_.substr(begin, mark.size()) != mark) continue;
      std::size_t end = begin + mark.size();
      if ((mark == ">&" || mark == "<&") && end < text_.size() &&
          (text_[end] == '-' || (text_[end] >= '0' && text_[end] <= '9')))
        ++end;
      std::string whole(text_.substr(at_, end - at_));
      if (whole == "1>") whole = ">";
      if (whole == "1>>") whole = ">>";
      if (whole == "0<") whole = "<";
      if (whole == ">&2") whole = "1>&2";
      at_ = end;
      add_operator(whole);
      return true;
    }
    return false;
  }

  void read_word() {
    ShellWord word;
    while (good_ && at_ < text_.size() && !is_meta(text_[at_])) {
      const char c = text_[at_];
      if (c == '\'') {
        quoted(word);
      } else if (c == '"') {
        double_quoted(word);
      } else if (c == '\\') {
        word.quoted = true;
        if (at_ + 1 < text_.size() && text_[at_ + 1] != '\n') word.value += text_[at_ + 1];
        at_ = std::min(at_ + 2, text_.size());
      } else if (c == '$' || c == '`') {
        expansion(word);
      } else {
        if (std::string_view("*?[{").find(c) != std::string_view::npos || (c == '~' && word.value.empty()))
          word.globs = true;
        word.value += c;
        ++at_;
      }
    }
    tokens_.push_back({false, std::move(word)});
  }

  void quoted(ShellWord& word) {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) {
      good_ = false;
      return;
    }
    word.quoted = true;
    word.value += text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
  }

  void double_quoted(ShellWord& word) {
    word.quoted = true;
    ++at_;
    while (good_ && at_ < text_.size() && text_[at_] != '"') {
      const char c = text_[at_];
      if (c == '\\' && at_ + 1 < text_.size()) {
        const char next = text_[at_ + 1];
        if (std::string_view("$`\"\\\n").find(next) == std::string_view::npos) word.value += c;
        if (next != '\n') word.value += next;
        at_ += 2;
      } else if (c == '$' || c == '`') {
        expansion(word);
      } else {
        word.value += c;
        ++at_;
      }
    }
    if (at_ >= text_.size()) good_ = false;
    ++at_;
  }

  // A "$..." or "`...`", kept as it is. "$" before nothing is a plain character.
  void expansion(ShellWord& word) {
    const std::size_t begin = at_;
    if (text_[at_] == '`') {
      at_ = text_.find('`', at_ + 1);
    } else if (at_ + 1 < text_.size() && (text_[at_ + 1] == '(' || text_[at_ + 1] == '{')) {
      at_ = closing(at_ + 1);
    } else {
      ++at_;
      if (at_ >= text_.size() || !(is_name(text_[at_]) || std::string_view("?$!#@*-'\"").find(text_[at_]) !=
                                                              std::string_view::npos)) {
        word.value += '$';
        return;
      }
      word.expands = true;
      word.value += '$';
      return;
    }
    if (at_ == std::string_view::npos) {
      at_ = text_.size();
      good_ = false;
      return;
    }
    ++at_;
    word.expands = true;
    word.value += text_.substr(begin, at_ - begin);
  }

  // The bracket that closes the one at `at`; npos if there is none.
  std::size_t closing(std::size_t at) {
    std::string open;
    for (; at < text_.size(); ++at) {
      const char c = text_[at];
      if (c == '\\') {
        ++at;
      } else if (c == '\'') {
        at = text_.find('\'', at + 1);
        if (at == std::string_view::npos) return at;
      } else if (c == '(' || c == '{') {
        open += c == '(' ? ')' : '}';
        if (open.size() > kMaxNesting) return std::string_view::npos;
      } else if (c == ')' || c == '}') {
        if (open.back() != c) continue;
        open.pop_back();
        if (open.empty()) return at;
      }
    }
    return std::string_view::npos;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool good_ = true;
  std::vector<ShellToken> tokens_;
};

bool is_reserved(const ShellWord& word) {
  static constexpr std::array<std::string_view, 19> kReserved = {
      "if",   "then", "else", "elif",     "fi", "for", "while", "until",  "do", "done",
      "case", "esac", "in",   "function", "{",  "}",   "!",     "select", "[["};
  return !word.quoted && std::find(kReserved.begin(), kReserved.end(), word.value) != kReserved.end();
}

// "NAME=value" as its two halves.
std::optional<std::pair<std::string, ShellWord>> assignment(const ShellWord& word) {
  const auto variable = read_variable(word.value);
  if (!variable || !is_variable_name(variable->name)) return std::nullopt;
  ShellWord value = word;
  value.value = variable->value;
  return std::pair(std::string(variable->name), std::move(value));
}

class Parser {
 public:
  explicit Parser(const std::vector<ShellToken>& tokens) : tokens_(tokens) {}

  std::optional<std::vector<Pipeline>> run() {
    pipelines_.emplace_back().commands.emplace_back();
    for (at_ = 0; at_ < tokens_.size(); ++at_) {
      const ShellToken& token = tokens_[at_];
      if (!(token.is_operator ? mark(token.word.value) : add(token.word))) return std::nullopt;
    }
    if (is_empty(current())) return std::nullopt;
    return std::move(pipelines_);
  }

 private:
  SimpleCommand& current() { return pipelines_.back().commands.back(); }
  static bool is_empty(const SimpleCommand& command) {
    return command.words.empty() && command.assignments.empty() && command.redirections.empty();
  }

  bool add(const ShellWord& word) {
    SimpleCommand& command = current();
    if (command.words.empty()) {
      if (is_reserved(word)) return false;
      if (auto pair = assignment(word)) {
        command.assignments.push_back(*std::move(pair));
        return true;
      }
    }
    command.words.push_back(word);
    return true;
  }

  bool mark(const std::string& mark) {
    if (mark == "|" || mark == "|&") {
      if (is_empty(current())) return false;
      if (mark == "|&") current().redirections.push_back({"2>&1", {}});
      pipelines_.back().commands.emplace_back();
      return true;
    }
    if (mark == ";" || mark == "&&" || mark == "||") {
      if (is_empty(current())) return false;
      pipelines_.emplace_back().commands.emplace_back();
      pipelines_.back().joint = mark;
      return true;
    }
    if (mark == "2>&1" || mark == "1>&2") {
      current().redirections.push_back({mark, {}});
      return true;
    }
    static constexpr std::array<std::string_view, 8> kFiles = {">",   ">>", "<",   "2>",
                                                               "2>>", "&>", "&>>", "<<<"};
    const bool known = std::find(kFiles.begin(), kFiles.end(), mark) != kFiles.end() || mark == ">|";
    if (!known || at_ + 1 >= tokens_.size() || tokens_[at_ + 1].is_operator) return false;
    current().redirections.push_back({mark == ">|" ? ">" : mark, tokens_[++at_].word});
    return true;
  }

  const std::vector<ShellToken>& tokens_;
  std::size_t at_ = 0;
  std::vector<Pipeline> pipelines_;
};

}  // namespace

std::optional<std::vector<ShellToken>> shell_tokens(std::string_view text) {
  if (text.size() > kMaxText) return std::nullopt;
  return Lexer(text).run();
}

std::optional<std::vector<Pipeline>> read_shell(std::string_view text) {
  const auto tokens = shell_tokens(text);
  if (!tokens || tokens->empty()) return std::nullopt;
  return Parser(*tokens).run();
}

}  // namespace micius
