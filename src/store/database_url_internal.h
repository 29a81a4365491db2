// URLs of PostgreSQL databases, as far as people see them. libpq reads the rest.
#pragma once

#include <string>

namespace micius {

bool is_database_url(const std::string& database);  // it has a scheme, whichever

// Without passwords, and with those parameters only that say which database it is. Throws Error{kUsage} for
// another scheme, and for what libpq would not read as it is meant: a password with an `@` or `/` in it
// would end up in a host's name, which its messages show.
std::string url_label(const std::string& url);

}  // namespace micius
