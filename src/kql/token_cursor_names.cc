// Names. A keyword may be one by its NameUse; `['any text']` always is, and `{name}` stands for one that a
// client fills in.
#include "kql/token_cursor_internal.h"

namespace micius::kql {

bool TokenCursor::is_name(std::size_t ahead) const {
  const Tok next = kind(ahead);
  return next == Tok::kIdentifier || (is_keyword(next) && name_use(next) == NameUse::kName);
}

bool TokenCursor::is_extended_name(std::size_t ahead) const {
  const Tok next = kind(ahead);
  if (!is_keyword(next)) return false;
  const NameUse use = name_use(next);
  return use == NameUse::kName || use == NameUse::kExtendedName;
}

std::size_t TokenCursor::strings_length(std::size_t ahead) const {
  std::size_t length = 0;
  while (kind(ahead + length) == Tok::kStringLiteral) ++length;
  return length;
}

std::size_t TokenCursor::bracketed_length(std::size_t ahead) const {
  if (kind(ahead) != Tok::kOpenBracket) return 0;
  const std::size_t strings = strings_length(ahead + 1);
  return strings > 0 && kind(ahead + 1 + strings) == Tok::kCloseBracket ? strings + 2 : 0;
}

// {name} or {name[-1]}, without blanks.
std::size_t TokenCursor::braced_length(std::size_t ahead) const {
  if (kind(ahead) != Tok::kOpenBrace) return 0;
  const auto glued = [&](std::size_t at, Tok wanted) { return kind(at) == wanted && token(at).glued; };
  std::size_t at = ahead + 1;
  if ((kind(at) != Tok::kIdentifier && !is_keyword(kind(at))) || !token(at).glued) return 0;
  ++at;
  if (glued(at, Tok::kOpenBracket)) {
    ++at;
    if (glued(at, Tok::kMinus)) ++at;
    if (!glued(at, Tok::kLongLiteral) || !glued(at + 1, Tok::kCloseBracket)) return 0;
    at += 2;
  }
  return glued(at, Tok::kCloseBrace) ? at + 1 - ahead : 0;
}

std::size_t TokenCursor::name_length(std::size_t ahead) const {
  if (kind(ahead) == Tok::kOpenBracket) return bracketed_length(ahead);
  // Looking ahead, `{kind}` is not seen as a name: `{kind} (T)` is no call. Taken as one it is.
  if (kind(ahead) == Tok::kOpenBrace) return is_name(ahead + 1) && braced_length(ahead) == 3 ? 3 : 0;
  return is_name(ahead) ? 1 : 0;
}

std::size_t TokenCursor::extended_name_length(std::size_t ahead) const {
  const std::size_t length = name_length(ahead);
  return length > 0 ? length : is_extended_name(ahead) ? 1 : 0;
}

// `*`, `a*`, `a*b1*`, without blanks.
std::size_t TokenCursor::wildcard_length(std::size_t ahead) const {
  std::size_t length = 0;
  if (kind(ahead) == Tok::kAsterisk) {
    length = 1;
  } else if ((kind(ahead) == Tok::kIdentifier || is_extended_name(ahead)) &&
             kind(ahead + 1) == Tok::kAsterisk && token(ahead + 1).glued) {
    length = 2;
  } else {
    return 0;
  }
  for (;; ++length) {
    const Tok next = kind(ahead + length);
    const bool part = next == Tok::kIdentifier || next == Tok::kLongLiteral || next == Tok::kAsterisk ||
                      is_extended_name(ahead + length);
    if (!part || !token(ahead + length).glued) return length;
  }
}

std::size_t TokenCursor::taken_name_length() const {
  return kind() == Tok::kOpenBrace ? braced_length(0) : name_length();
}

NodeId TokenCursor::name_of_length(std::size_t length) {
  if (length == 0) return kNoNode;
  const NodeKind what = kind() == Tok::kOpenBracket ? NodeKind::kBracketedName
                        : kind() == Tok::kOpenBrace ? NodeKind::kBracedName
                                                    : NodeKind::kName;
  return take(what, static_cast<std::uint32_t>(length));
}

NodeId TokenCursor::name() { return name_of_length(taken_name_length()); }

NodeId TokenCursor::extended_name() {
  const NodeId node = name();
  return node != kNoNode ? node : name_of_length(extended_name_length());
}

NodeId TokenCursor::declaration() {
  const std::size_t length = taken_name_length();
  if (length == 0) return kNoNode;
  const NodeId node = make(NodeKind::kDeclaration);
  add(node, name_of_length(length));
  return close(node);
}

NodeId TokenCursor::extended_declaration() {
  if (const NodeId node = declaration(); node != kNoNode) return node;
  if (!is_extended_name()) return kNoNode;
  const NodeId node = make(NodeKind::kDeclaration);
  add(node, take(NodeKind::kName));
  return close(node);
}

NodeId TokenCursor::wildcard() {
  const std::size_t length = wildcard_length();
  return length == 0 ? kNoNode : take(NodeKind::kWildcard, static_cast<std::uint32_t>(length));
}

NodeId TokenCursor::bracketed_wildcard() {
  if (kind() != Tok::kOpenBracket || wildcard_length(1) == 0) return kNoNode;
  ++at_;
  const NodeId node = wildcard();
  expect(Tok::kCloseBracket);
  return node;
}

NodeId TokenCursor::wildcard_or_name() {
  const NodeId node = wildcard();
  return node != kNoNode ? node : name();
}

// Is a keyword that cannot be a name followed by what follows names alone, so that one was meant?
bool TokenCursor::keyword_in_name_position() const {
  if (!is_keyword(kind())) return false;
  const Tok next = kind(1);
  switch (next) {
    case Tok::kAnd:
    case Tok::kOr:
    case Tok::kEqualEqual:
    case Tok::kBangEqual:
    case Tok::kEqualTilde:
    case Tok::kBangTilde:
    case Tok::kGreaterThan:
    case Tok::kGreaterThanOrEqual:
    case Tok::kLessThan:
    case Tok::kLessThanOrEqual:
    case Tok::kAsterisk:
    case Tok::kSlash:
    case Tok::kPercent:
    case Tok::kIn:
    case Tok::kInCs:
    case Tok::kNotIn:
    case Tok::kNotInCs:
    case Tok::kHasAny:
    case Tok::kHasAll:
    case Tok::kBetween:
    case Tok::kNotBetween:
    case Tok::kCloseParen:
    case Tok::kCloseBracket:
    case Tok::kCloseBrace:
    case Tok::kDot:
    case Tok::kComma:
    case Tok::kColon:
    case Tok::kBar:
      return true;
    default:
      return is_text_operator(next);
  }
}

}  // namespace micius::kql
