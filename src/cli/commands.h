// The makers of the verbs, one a file.
#pragma once

#include <memory>

#include "cli/command.h"

namespace micius {

std::unique_ptr<Command> make_run_command();
std::unique_ptr<Command> make_resume_command();
std::unique_ptr<Command> make_worker_command();
std::unique_ptr<Command> make_submit_command();
std::unique_ptr<Command> make_status_command();
std::unique_ptr<Command> make_list_command();
std::unique_ptr<Command> make_show_command();
std::unique_ptr<Command> make_report_command();
std::unique_ptr<Command> make_compare_command();
std::unique_ptr<Command> make_baseline_command();
std::unique_ptr<Command> make_gate_command();
std::unique_ptr<Command> make_sample_size_command();
std::unique_ptr<Command> make_export_command();
std::unique_ptr<Command> make_import_command();
std::unique_ptr<Command> make_rescore_command();
std::unique_ptr<Command> make_data_command();
std::unique_ptr<Command> make_model_command();
std::unique_ptr<Command> make_cache_command();
std::unique_ptr<Command> make_engine_command();
std::unique_ptr<Command> make_bench_command();
std::unique_ptr<Command> make_serve_command();
std::unique_ptr<Command> make_check_command();
std::unique_ptr<Command> make_doctor_command();

}  // namespace micius
