// `micius doctor`: is everything there?
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/process.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/secrets.h"
#include "cli/services.h"
#include "engine/cpu.h"
#include "engine/gpu.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

struct Finding {
  std::string what;
  bool good;
  std::string detail;  // what is there, or what to do
};

class DoctorCommand final : public Command {
 public:
  std::string name() const override { return "doctor"; }
  std::string summary() const override { return "Is everything there: processor, models, data, programs"; }

  void define(Flags& flags) override {
    add_data_dir_flag(flags, places_);
    add_model_dir_flag(flags, places_);
    flags.add("--format", format_, "text or json").one_of({"text", "json"}).show_default();
  }

  ExitCode run() override;

 private:
  std::vector<Finding> findings() const;

  PlaceFlags places_;
  std::string format_ = "text";
};

Finding processor() {
  const std::optional<Isa> asked = isa_of_environment();
  return {"processor", true,
          fmt::format("{}, {} threads, kernels: {}{}", cpu_name(), std::thread::hardware_concurrency(),
                      isa_name(asked.value_or(best_isa())), asked ? " (MICIUS_ISA)" : "")};
}

Finding gpu() {
  const GpuSurvey survey = survey_gpus();
  std::string names;
  for (const Gpu& gpu : survey.gpus) {
    names += fmt::format("{}{}, {}", names.empty() ? "" : "; ", gpu.name, format_bytes(gpu.memory_bytes));
  }
  if (survey.gpus.empty()) return {"GPU", false, survey.problem};
  const std::string library = matrix_library_name().value_or(
      "no libcublasLt.so of CUDA's version: kernels of our own multiply bf16 weights");
  return {"GPU", true, fmt::format("{}; {}", names, library)};
}

Finding own_data() {
  const fs::path data = share_root() / "datasets/aimicius";
  if (fs::is_directory(data)) return {"own data", true, data.string()};
  return {"own data", false,
          fmt::format("{} is not there; set MICIUS_SHARE_DIR or install again", data.string())};
}

Finding python() {
  try {
    const ProcessResult result = run_process({"python3", "-m", "pip", "--version"});
    if (result.exit_code == 0) return {"python3 and pip", true, "there; `model fetch` needs them"};
  } catch (const Error&) {
    // said below, with what to do
  }
  return {"python3 and pip", false, "install the Debian package python3-pip; only `model fetch` needs it"};
}

Finding sandbox() {
  const SandboxOffer offer = open_sandbox(1);
  if (offer.sandbox) return {"sandbox", true, offer.what};
  return {"sandbox", false, offer.why_not + "; without it cmdgen and optiflow cannot run"};
}

// Is there one? Never what it is.
Finding key(const std::string& variable, const std::string& users) {
  const std::string what = "key " + variable;
  try {
    if (!secret_from(variable).empty()) return {what, true, "set, for " + users};
  } catch (const Error& error) {
    return {what, false, error.what()};
  }
  return {what, false, fmt::format("not set, nor {}_FILE; only {} need it", variable, users)};
}

std::vector<Finding> DoctorCommand::findings() const {
  const Finding own = own_data();
  std::vector<Finding> list = {processor(),
                               gpu(),
                               sandbox(),
                               own,
                               python(),
                               key("OPENAI_API_KEY", "models openai:NAME"),
                               key("AZURE_OPENAI_API_KEY", "models azure:DEPLOYMENT"),
                               key("ANTHROPIC_API_KEY", "models anthropic:NAME")};
  if (!own.good) return list;  // without it there are no manifests to go through
  for (const ManifestEntry& entry : model_manifest().entries) {
    const bool here = is_there(entry, model_root(places_));
    list.push_back({"model " + entry.name, here,
                    here ? model_root(places_).string() : "micius model fetch " + entry.name});
  }
  for (const ManifestEntry& entry : data_manifest().entries) {
    const bool here = is_there(entry, data_root(places_));
    list.push_back({"data " + entry.name, here,
                    here ? data_root(places_).string()
                         : "micius data fetch " + entry.name + " gets it or says where it comes from"});
  }
  return list;
}

ExitCode DoctorCommand::run() {
  const std::vector<Finding> list = findings();
  if (format_ == "json") {
    Json checks = Json::array();
    for (const Finding& f : list) checks.push_back({{"name", f.what}, {"ok", f.good}, {"detail", f.detail}});
    std::cout << Json{{"schema", "micius.doctor/1"}, {"checks", checks}}.dump(2) << "\n";
    return ExitCode::kGood;
  }
  for (const Finding& f : list) fmt::print("{:<4} {:<24} {}\n", f.good ? "ok" : "--", f.what, f.detail);
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_doctor_command() { return std::make_unique<DoctorCommand>(); }

}  // namespace micius
