// Runs, records, tasks and prompts as text for people. Model output is made harmless for a terminal.
#pragma once

#include <string>

#include "cli/task_setup.h"
#include "core/record.h"
#include "core/run.h"

namespace micius {

std::string task_text(const Task& task);
// The exact prompt that the task would send for the sample at `index` of its dataset, before a chat template.
std::string prompt_text(const TaskSetup& setup, std::size_t index);
std::string run_heading(const Run& run);  // one line, before the records of several runs
std::string run_text(const Run& run);
// The verdict with its parts first, then what was asked, read and right, then each turn as it was.
enum class Length { kCut, kWhole };  // kCut: of what is long the beginning and the end, and --full named
std::string record_text(const Record& record, Length length);

}  // namespace micius
