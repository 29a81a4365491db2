// Rows of renderings: a template, its variables, and the text or the error that must come out.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "base/json.h"
#include "engine/chat/chat_template.h"

namespace micius::test {

// The time of the vectors: 2024-07-26 14:30:05.
std::chrono::system_clock::time_point fixed_time();

// A file of ../shared/vectors/chat, or an empty path (with a WARN that says so) where it is absent.
std::filesystem::path shared_chat_vectors(const std::string& name);
void for_each_chat_row(const std::filesystem::path& file, const std::function<void(const Json&)>& fn);

enum class Texts { kNone, kOfRaise };  // which error texts are to be equal

// Checks the row's `expected` or `error`. False, without a check, if a construct is not covered.
bool check_rendering(const ChatTemplate& chat, const Json& variables, const Json& row, Texts texts);
void check_error(const ChatTemplateError& error, const Json& row, Texts texts);

}  // namespace micius::test
