#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "store/database_url_internal.h"

namespace micius {
namespace {

constexpr std::string_view kSchemeEnd = "://";
constexpr std::array<std::string_view, 9> kShown = {
    "host", "hostaddr", "port", "user", "dbname", "service", "sslmode", "options", "target_session_attrs"};

[[noreturn]] void fail_form() {
  fail(ErrorCode::kUsage,
       "--db: not the URL of a PostgreSQL database: expected postgresql://USER@HOST:PORT/DATABASE; in a "
       "password, write @ : / ? % as %40 %3A %2F %3F %25, or leave it to PGPASSWORD or ~/.pgpass");
}

// "a:5432,b" without what is no port: it may be a password without its host.
void check_hosts(std::string_view hosts) {
  for (const std::string_view host : split(hosts, ',')) {
    const std::size_t colon =
        host.starts_with('[') ? host.find(':', std::min(host.find(']'), host.size())) : host.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view port = host.substr(colon + 1);
    if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; })) fail_form();
  }
}

bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

// A lone % may be one of a password.
void check_percents(std::string_view url) {
  for (std::size_t at = 0; (at = url.find('%', at)) != std::string_view::npos; ++at) {
    if (at + 2 >= url.size() || !is_hex(url[at + 1]) || !is_hex(url[at + 2]) || url.substr(at, 3) == "%00")
      fail_form();
  }
}

std::string shown_parameters(std::string_view query) {
  std::string shown;
  if (query.empty()) return shown;
  for (const std::string_view parameter : split(query, '&')) {
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) fail_form();
    const std::string_view name = parameter.substr(0, equals);
    if (std::find(kShown.begin(), kShown.end(), name) == kShown.end()) continue;
    shown += shown.empty() ? '?' : '&';
    shown += parameter;
  }
  return shown;
}

}  // namespace

bool is_database_url(const std::string& database) {
  const std::size_t end = database.find(kSchemeEnd);
  return (end != std::string::npos && end > 0 && database.find('/') == end + 1) ||
         database.starts_with("postgresql:") || database.starts_with("postgres:");
}

std::string url_label(const std::string& url) {
  const std::size_t scheme = url.find(kSchemeEnd);
  if (scheme == std::string::npos) fail_form();
  const std::string_view name = std::string_view(url).substr(0, scheme);
  if (name != "postgresql" && name != "postgres") {
    fail(ErrorCode::kUsage,
         "--db: no such kind of database: '{}'; name an SQLite file, or postgresql://USER@HOST:PORT/DATABASE",
         name);
  }
  check_percents(url);
  const std::string_view rest = std::string_view(url).substr(scheme + kSchemeEnd.size());
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  if (rest.find('@', end) != std::string_view::npos) fail_form();
  std::string label = "postgresql://";
  const std::size_t at = authority.find('@');
  if (at != std::string_view::npos) {
    if (authority.find('@', at + 1) != std::string_view::npos) fail_form();
    label += authority.substr(0, std::min(authority.find(':'), at));
    label += '@';
    authority.remove_prefix(at + 1);
  }
  check_hosts(authority);
  label += authority;
  const std::string_view path = rest.substr(end, rest.find('?', end) - end);
  label += path;
  if (const std::size_t query = rest.find('?', end); query != std::string_view::npos)
    label += shown_parameters(rest.substr(query + 1));
  return label;
}

}  // namespace micius
