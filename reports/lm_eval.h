// Result files of lm-evaluation-harness 0.4.13, for tools that read them. Every figure is the report's; made
// here are the hashes that lm-eval gives a document, its prompt and its target.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/files.h"
#include "core/report.h"

namespace micius {

// write_file(path, fill) makes one file; `path` is relative.
using FileMaker =
    std::function<void(const std::filesystem::path& path, const std::function<void(const ByteSink&)>& fill)>;

// Of each model MODEL/results_DATE.json and, a task, MODEL/samples_TASK_DATE.jsonl, as `lm_eval --output_path
// DIR --log_samples` writes them; DATE is when the last of the model's runs ended. A second run of a task by
// the same model gets files of another DATE. What lm-eval knows and a run does not (torch, tokenizer) is left
// out; a document is the sample as the task prepared it. Samples that failed have no line.
void write_lm_eval(const ReportSet& set, const FileMaker& write_file);

}  // namespace micius
