// Thompson's construction (1968): the pattern becomes a machine that is in many states at once.
#include "emu/regex.h"

#include <bitset>
#include <vector>

namespace micius::emu {
namespace {

constexpr int kNone = -1;

struct Node {
  enum Kind { kSet, kSplit, kMatch } kind;
  std::bitset<256> set;
  int next = kNone, other = kNone;
};

class Machine {
 public:
  explicit Machine(std::string_view pattern) : pattern_(pattern) {
    const Part whole = alternatives(0);
    good_ = good_ && at_ == pattern_.size();
    if (!good_) return;
    const int match = add({Node::kMatch, {}, kNone, kNone});
    for (int* hole : whole.holes(nodes_)) *hole = match;
    start_ = whole.start == kNone ? match : whole.start;
  }
  bool good() const { return good_; }

  bool match(std::string_view text) const {
    std::vector<bool> now(nodes_.size());
    follow(start_, now);
    for (const char c : text) {
      std::vector<bool> then(nodes_.size());
      for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (now[i] && nodes_[i].kind == Node::kSet && nodes_[i].set[static_cast<unsigned char>(c)])
          follow(nodes_[i].next, then);
      now = std::move(then);
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (now[i] && nodes_[i].kind == Node::kMatch) return true;
    return false;
  }

 private:
  // A piece of the machine: where it starts and which arrows are still open (node, second arrow?).
  struct Part {
    int start = kNone;
    std::vector<std::pair<int, bool>> open;
    std::vector<int*> holes(std::vector<Node>& nodes) const {
      std::vector<int*> list;
      for (const auto& [node, second] : open) {
        Node& at = nodes[static_cast<std::size_t>(node)];
        list.push_back(second ? &at.other : &at.next);
      }
      return list;
    }
  };

  int add(const Node& node) {
    nodes_.push_back(node);
    return static_cast<int>(nodes_.size()) - 1;
  }
  bool more() const { return at_ < pattern_.size(); }

  Part alternatives(int depth) {
    Part left = sequence(depth);
    while (good_ && more() && pattern_[at_] == '|') {
      ++at_;
      const Part right = sequence(depth);
      if (left.start == kNone || right.start == kNone) return fail();
      const int split = add({Node::kSplit, {}, left.start, right.start});
      left.start = split;
      left.open.insert(left.open.end(), right.open.begin(), right.open.end());
    }
    return left;
  }

  Part fail() {
    good_ = false;
    return {};
  }

  Part sequence(int depth) {
    Part whole;
    while (good_ && more() && pattern_[at_] != '|' && pattern_[at_] != ')') {
      const Part next = repeated(depth);
      if (next.start == kNone) continue;
      if (whole.start == kNone) {
        whole = next;
        continue;
      }
      for (int* hole : whole.holes(nodes_)) *hole = next.start;
      whole.open = next.open;
    }
    return whole;
  }

  Part repeated(int depth) {
    Part part = atom(depth);
    while (good_ && more() && (pattern_[at_] == '*' || pattern_[at_] == '+' || pattern_[at_] == '?')) {
      const char mark = pattern_[at_++];
      if (part.start == kNone) return fail();
      const int split = add({Node::kSplit, {}, part.start, kNone});
      if (mark != '?') {
        for (int* hole : part.holes(nodes_)) *hole = split;
        part.open.clear();
      }
      part.open.emplace_back(split, true);
      if (mark != '+') part.start = split;
    }
    return part;
  }

  Part one(const std::bitset<256>& set) {
    const int node = add({Node::kSet, set, kNone, kNone});
    return {node, {{node, false}}};
  }

  static std::bitset<256> letter(char c) {
    std::bitset<256> set;
    set.set(static_cast<unsigned char>(c));
    return set;
  }

  static std::bitset<256> escaped(char c) {
    std::bitset<256> set;
    for (int i = 0; i < 256; ++i) {
      const bool digit = i >= '0' && i <= '9';
      const bool word = digit || (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') || i == '_';
      if ((c == 'd' && digit) || (c == 'w' && word) || (c == 's' && (i == ' ' || (i >= 9 && i <= 13))))
        set.set(static_cast<std::size_t>(i));
    }
    return set.any() ? set : letter(c);
  }

  Part atom(int depth) {
    const char c = pattern_[at_++];
    if (c == '^' || c == '$') return {};
    if (c == '.') return one(~std::bitset<256>());
    if (c == '\\') return more() ? one(escaped(pattern_[at_++])) : fail();
    if (c == '[') return bracket();
    if (c == '(') {
      if (depth > 20) return fail();
      Part inside = alternatives(depth + 1);
      if (!more() || pattern_[at_] != ')') return fail();
      ++at_;
      return inside;
    }
    if (c == '*' || c == '+' || c == '?' || c == '{') return fail();
    return one(letter(c));
  }

  Part bracket() {
    std::bitset<256> set;
    const bool inverse = more() && pattern_[at_] == '^';
    if (inverse) ++at_;
    for (bool first = true; more() && (first || pattern_[at_] != ']'); first = false) {
      const auto low = static_cast<unsigned char>(pattern_[at_++]);
      auto high = low;
      if (at_ + 1 < pattern_.size() && pattern_[at_] == '-' && pattern_[at_ + 1] != ']') {
        high = static_cast<unsigned char>(pattern_[at_ + 1]);
        at_ += 2;
      }
      for (int i = low; i <= high; ++i) set.set(static_cast<std::size_t>(i));
    }
    if (!more()) return fail();
    ++at_;
    return one(inverse ? ~set : set);
  }

  void follow(int node, std::vector<bool>& states) const {
    std::vector<int> stack{node};
    while (!stack.empty()) {
      const int at = stack.back();
      stack.pop_back();
      if (at == kNone || states[static_cast<std::size_t>(at)]) continue;
      states[static_cast<std::size_t>(at)] = true;
      const Node& here = nodes_[static_cast<std::size_t>(at)];
      if (here.kind == Node::kSplit) {
        stack.push_back(here.next);
        stack.push_back(here.other);
      }
    }
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  std::vector<Node> nodes_;
  int start_ = kNone;
  bool good_ = true;
};

}  // namespace

std::optional<bool> matches_regex(std::string_view pattern, std::string_view text) {
  if (pattern.size() > 200) return std::nullopt;
  const Machine machine(pattern);
  if (!machine.good()) return std::nullopt;
  return machine.match(text);
}

}  // namespace micius::emu
