#include "cli/commands.h"

namespace micius {

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_run_command());
  commands.push_back(make_resume_command());
  commands.push_back(make_worker_command());
  commands.push_back(make_submit_command());
  commands.push_back(make_status_command());
  commands.push_back(make_list_command());
  commands.push_back(make_show_command());
  commands.push_back(make_report_command());
  commands.push_back(make_compare_command());
  commands.push_back(make_baseline_command());
  commands.push_back(make_gate_command());
  commands.push_back(make_sample_size_command());
  commands.push_back(make_rescore_command());
  commands.push_back(make_export_command());
  commands.push_back(make_import_command());
  commands.push_back(make_data_command());
  commands.push_back(make_model_command());
  commands.push_back(make_cache_command());
  commands.push_back(make_engine_command());
  commands.push_back(make_serve_command());
  commands.push_back(make_bench_command());
  commands.push_back(make_check_command());
  commands.push_back(make_doctor_command());
  return commands;
}

}  // namespace micius
