// `micius data list|fetch|verify|export`.
#include <algorithm>
#include <functional>
#include <iostream>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/data_export.h"
#include "cli/fetch.h"
#include "cli/flags.h"
#include "cli/places.h"
#include "core/manifest.h"

namespace micius {
namespace {

class DataCommand final : public Command {
 public:
  std::string name() const override { return "data"; }
  std::string summary() const override {
    return "Data: list, fetch and verify what is third-party, export what models may be tuned on";
  }
  void define(Flags& flags) override;
  ExitCode run() override { return action_(); }

 private:
  ExitCode list() const;
  ExitCode fetch() const;
  ExitCode verify_files() const;

  PlaceFlags places_;
  DataExport export_;
  std::vector<std::string> names_;
  std::string format_ = "text";
  std::function<ExitCode()> action_;
};

void DataCommand::define(Flags& flags) {
  flags.require_verb();
  Flags list = flags.verb("list", "What the manifest has, where it comes from, and what is here",
                          [this] { action_ = [this] { return this->list(); }; });
  Flags fetch = flags.verb(
      "fetch", "Get data and check it; says what you have to bring; does nothing where it is here and good",
      [this] { action_ = [this] { return this->fetch(); }; });
  Flags verify = flags.verb("verify", "Check the files that are here against the manifest",
                            [this] { action_ = [this] { return verify_files(); }; });
  for (Flags verb : {list, fetch, verify}) add_data_dir_flag(verb, places_);
  list.add("--format", format_, "text or json").one_of({"text", "json"}).show_default();
  verify.add("names", names_, "Entries (default: all)").type("NAME");
  fetch.add("names", names_, "Entries, or 'all'").required().type("NAME");
  Flags exported =
      flags.verb("export", "Tuning data of AIMicius with the prompts that the tasks build", [this] {
        action_ = [this] {
          export_.run();
          return ExitCode::kGood;
        };
      });
  export_.define(exported);
}

std::string origin(const ManifestSource& source) {
  if (const auto* url = std::get_if<UrlSource>(&source)) return url->url;
  if (const auto* pip = std::get_if<PipSource>(&source)) return "Python package " + pip->package;
  return std::get<UserSource>(source).instruction;
}

ExitCode DataCommand::list() const {
  const std::filesystem::path root = data_root(places_);
  const auto is_here = [&](const ManifestFile& file) {
    return std::filesystem::exists(root / file.path) ||
           std::any_of(file.others.begin(), file.others.end(),
                       [&](const OtherForm& other) { return std::filesystem::exists(root / other.path); });
  };
  Json entries = Json::array();
  for (const ManifestEntry& entry : data_manifest().entries) {
    Json files = Json::array();
    for (const ManifestFile& file : entry.files) {
      files.push_back({{"path", file.path},
                       {"bytes", file.bytes ? Json(*file.bytes) : Json()},
                       {"sha256", file.sha256},
                       {"source", origin(file.source)},
                       {"here", is_here(file)}});
      for (const OtherForm& other : file.others) files.back()["or"].push_back(other.path);
    }
    entries.push_back({{"name", entry.name}, {"licence", entry.licence}, {"files", files}});
  }
  if (format_ == "json") {
    std::cout << Json{{"schema", "micius.list/1"}, {"data", entries}}.dump(2) << "\n";
    return ExitCode::kGood;
  }
  fmt::print("data folder: {}\n", root.string());
  for (const Json& entry : entries) {
    fmt::print("\n{}  ({})\n", entry.at("name").get<std::string>(), entry.at("licence").get<std::string>());
    std::string source;
    for (const Json& file : entry.at("files")) {
      if (source != file.at("source")) {
        source = file.at("source").get<std::string>();
        fmt::print("  source: {}\n", source);
      }
      const Json& bytes = file.at("bytes");
      fmt::print("  {:<8} {:>9}  {}\n", file.at("here").get<bool>() ? "here" : "missing",
                 bytes.is_null() ? "" : format_bytes(bytes.get<std::uint64_t>()),
                 file.at("path").get<std::string>());
    }
  }
  return ExitCode::kGood;
}

// Those of the names, in their order; all of the manifest for no name, or "all".
std::vector<const ManifestEntry*> entries_of(const Manifest& manifest,
                                             const std::vector<std::string>& names) {
  std::vector<const ManifestEntry*> chosen;
  if (names.empty() || names == std::vector<std::string>{"all"}) {
    for (const ManifestEntry& entry : manifest.entries) chosen.push_back(&entry);
  } else {
    for (const std::string& name : names) chosen.push_back(&manifest.get(name, "data"));
  }
  return chosen;
}

bool has_only_users_files(const ManifestEntry& entry) {
  return std::all_of(entry.files.begin(), entry.files.end(), [](const ManifestFile& file) {
    return std::holds_alternative<UserSource>(file.source);
  });
}

// An entry that fails does not keep those behind it from being got.
ExitCode DataCommand::fetch() const {
  const Manifest manifest = data_manifest();
  ConsoleLog log(ConsoleLog::Level::kWarnings);
  Fetcher fetcher(data_root(places_), log);
  const bool by_name = names_.front() != "all";
  std::size_t failed = 0, left_to_user = 0;
  for (const ManifestEntry* entry : entries_of(manifest, names_)) {
    try {
      const Fetched fetched = fetcher.fetch(*entry, "micius data fetch " + entry->name);
      print_here(fetched);
      for (const std::string& line : fetched.by_user)
        fmt::print(stderr, "{}: yours to bring: {}\n", entry->name, line);
      left_to_user += !fetched.by_user.empty() && has_only_users_files(*entry) ? 1 : 0;
    } catch (const Error& error) {
      fmt::print(stderr, "micius: {}: {}\n", entry->name, visible_text(error.what()));
      ++failed;
    }
  }
  if (failed > 0) return by_name ? ExitCode::kCannotRun : ExitCode::kFailed;
  return by_name && left_to_user > 0 ? ExitCode::kCannotRun : ExitCode::kGood;
}

ExitCode DataCommand::verify_files() const {
  const Manifest manifest = data_manifest();
  std::size_t good = 0, missing = 0, bad = 0, unknown = 0;
  for (const ManifestEntry* entry : entries_of(manifest, names_)) {
    for (const FileCheck& check : verify(*entry, data_root(places_), "micius data fetch " + entry->name)) {
      good += check.state == FileState::kGood ? 1 : 0;
      missing += check.state == FileState::kMissing ? 1 : 0;
      bad += check.state == FileState::kWrongSize || check.state == FileState::kWrongHash ? 1 : 0;
      unknown += check.state == FileState::kUnknown ? 1 : 0;
      fmt::print("{:<8} {}\n",
                 check.state == FileState::kGood      ? "good"
                 : check.state == FileState::kMissing ? "missing"
                 : check.state == FileState::kUnknown ? "unknown"
                                                      : "wrong",
                 check.message.empty() ? check.path.string() : check.message);
    }
  }
  fmt::print("{} good, {} missing, {} wrong{}\n", good, missing, bad,
             unknown > 0 ? fmt::format(", {} unknown", unknown) : "");
  return bad > 0 || (missing > 0 && !names_.empty()) ? ExitCode::kFailed : ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_data_command() { return std::make_unique<DataCommand>(); }

}  // namespace micius
