#include "reports/latex_table.h"

#include <map>
#include <stdexcept>

#include <fmt/format.h>

namespace micius {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) {}

  std::vector<LatexTable> read() {
    while (at_ < text_.size()) step();
    if (depth_ != 0) stop("a brace is open at the end");
    if (in_table_) stop("the table does not end");
    return std::move(tables_);
  }

 private:
  [[noreturn]] void stop(const std::string& why) const {
    int line = 1;
    for (std::size_t i = 0; i < at_ && i < text_.size(); ++i) line += text_[i] == '\n';
    throw std::runtime_error(fmt::format("line {}: {}", line, why));
  }

  void step() {
    const char c = text_[at_++];
    switch (c) {
      case '%':
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        return;
      case '\\':
        return command();
      case '{':
        ++depth_;
        row_just_ended_ = false;
        return;
      case '}':
        if (--depth_ < 0) stop("a brace that nothing opened");
        if (depth_ < bold_depth_) bold_depth_ = 0;
        return;
      case '&':
        if (!in_table_) stop("& outside a table");
        return end_cell();
      case '$':
      case '#':
      case '^':
      case '_':
        return stop(fmt::format("'{}' is markup", c));
      default:
        return put(c);
    }
  }

  void put(char c) {
    const bool blank = c == ' ' || c == '\n';
    if (!in_table_) {
      if (!blank) stop(fmt::format("'{}' outside a table", c));
      return;
    }
    if (blank) {
      if (!cell_.text.empty() && cell_.text.back() != ' ') cell_.text += ' ';
      return;
    }
    if (row_just_ended_ && (c == '[' || c == '*')) stop("behind the end of a row this is an argument");
    if (c == '~' || c == '<' || c == '>' || c == '|' || c == '"')
      stop(fmt::format("'{}' shows as another", c));
    if (c != '-' || text_.compare(at_, 1, "-") != 0) return show(c);
    ++at_;
    show(c);  // an en dash, once
  }

  void command() {
    if (at_ == text_.size()) stop("a lone backslash");
    const char c = text_[at_];
    if (!is_letter(c)) {
      ++at_;
      if (c == '\\') return end_row();
      if (std::string("{}$&#_%").find(c) == std::string::npos) stop(fmt::format("unknown command \\{}", c));
      return show(c);
    }
    std::string name;
    while (at_ < text_.size() && is_letter(text_[at_])) name += text_[at_++];
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    named(name);
  }

  void named(const std::string& name) {
    static const std::map<std::string, char> kShown = {{"textbackslash", '\\'}, {"textasciicircum", '^'},
                                                       {"textasciitilde", '~'}, {"textless", '<'},
                                                       {"textgreater", '>'},    {"textbar", '|'}};
    if (const auto it = kShown.find(name); it != kShown.end()) {
      if (text_.compare(at_, 2, "{}") != 0) stop("\\" + name + " swallows the blank behind it");
      at_ += 2;
      return show(it->second);
    }
    if (name == "begin" || name == "end") return environment(name);
    if (name == "textbf") {
      if (text_.compare(at_, 1, "{") != 0) stop("\\textbf without an argument");
      bold_depth_ = depth_ + 1;
      return;
    }
    if (name == "toprule" || name == "midrule" || name == "bottomrule") {
      if (!in_table_ || !row_.empty()) stop("\\" + name + " in a row");
      row_just_ended_ = false;
      return;
    }
    if (name == "scriptsize" || (name == "medskip" && !in_table_)) return;
    stop("unknown command \\" + name);
  }

  void show(char c) {
    if (!in_table_) stop("text outside a table");
    row_just_ended_ = false;
    cell_.text += c;
    cell_.is_bold = cell_.is_bold || bold_depth_ > 0;
  }

  std::string argument() {
    if (text_.compare(at_, 1, "{") != 0) stop("an argument is missing");
    const std::size_t end = text_.find('}', at_);
    if (end == std::string::npos) stop("an argument does not end");
    const std::string result = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return result;
  }

  void environment(const std::string& what) {
    if (argument() != "tabular") stop("an environment that is no table");
    if ((what == "begin") == in_table_) stop("a table in a table, or an end without one");
    if (what == "end" && (!row_.empty() || cell_.text.find_first_not_of(' ') != std::string::npos))
      stop("the last row does not end");
    in_table_ = what == "begin";
    if (in_table_) tables_.push_back({argument(), {}});
    cell_ = {};
  }

  void end_cell() {
    while (!cell_.text.empty() && cell_.text.back() == ' ') cell_.text.pop_back();
    row_.push_back(cell_);
    cell_ = {};
  }

  void end_row() {
    if (!in_table_ || depth_ != 0) stop("the end of a row inside braces or outside a table");
    end_cell();
    LatexTable& table = tables_.back();
    if (row_.size() != table.columns.size())
      stop(fmt::format("{} cells in a row of {}", row_.size(), table.columns.size()));
    table.rows.push_back(std::move(row_));
    row_.clear();
    row_just_ended_ = true;
  }

  const std::string& text_;
  std::size_t at_ = 0;
  int depth_ = 0, bold_depth_ = 0;
  bool in_table_ = false, row_just_ended_ = false;
  LatexCell cell_;
  std::vector<LatexCell> row_;
  std::vector<LatexTable> tables_;
};

}  // namespace

std::vector<LatexTable> read_latex(const std::string& text) { return Reader(text).read(); }

}  // namespace micius
