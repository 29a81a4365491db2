// Text in Markdown.
#pragma once

#include <string>
#include <string_view>

namespace micius {

// Our own words around names: code spans stay, tags do not.
std::string markdown_prose(std::string_view text);
// Text of a table cell: nothing in it is markup.
std::string markdown_cell(std::string_view text);

}  // namespace micius
