// A user's own task, read from a JSON file.
//
// Text is generated and judged by a scorer:
//   {"micius_task": 1, "name": "ticket_triage", "version": 1,
//    "dataset": {"loader": "jsonl", "path": "tickets.jsonl",
//                "id": "ticket", "input": "text", "targets": "label"},
//    "prompt": {"system": "You sort tickets.", "user": "Ticket: {{input}}\nTeam:", "assistant_prefix": ""},
//    "shots": {"n": 2, "from": "first"},
//    "generate": {"max_tokens": 16, "stop": ["\n"]},
//    "scorer": {"name": "exact", "ignore_case": true},
//    "metrics": ["acc"]}
// or choices are weighed: "dataset" also has "choices" (the path of a list, or a list of paths), and
//    "prompt": {"context": "{{input}}\nTeam:", "continuation": " {{choice}}"},
//    "scorer": {"name": "choice"},
// without "generate". A target is then the text of a choice, or its index from 0.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/task.h"

namespace micius {

// What a task file may name. Whoever has the registries fills it in.
struct TaskFileNames {
  std::vector<std::string> loaders;
  // Makes the scorer and returns the metrics it gives; throws Error{kUsage|kInvalidData} beginning with
  // `where` for one that is not there or does not know a parameter.
  std::function<std::vector<std::string>(const Spec& scorer, const std::string& where)> scorer_metrics;
};

// Shots are the first n rows of the dataset that are not the sample itself. A generating task's messages are
// the same for the styles kText and kTurns: without a template a model reads them joined by blank lines.
// Throws Error{kUsage|kInvalidData} beginning "FILE:LINE" for what is not in form, Error{kNotFound} for a
// file that is not there. The task throws Error{kInvalidData} for a row that its prompt cannot be made of.
Task read_task_file(const std::filesystem::path& path, const TaskOptions& options,
                    const TaskFileNames& names);

// The same for the text of a file; `path` is for messages and what is relative to it.
Task parse_task_file(std::string_view text, const std::filesystem::path& path, const TaskOptions& options,
                     const TaskFileNames& names);

}  // namespace micius
