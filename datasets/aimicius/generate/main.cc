// micius-data: makes and checks the data of the AIMicius suites.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/files.h"
#include "cli/flags.h"
#include "cli/services.h"
#include "cmdgen_apart.h"
#include "cmdgen_files.h"
#include "nl2kql_files.h"
#include "optiflow_files.h"
#include "suite.h"

namespace micius::aimicius {
namespace {

namespace fs = std::filesystem;

struct Builder {
  std::string_view name;
  Files (*make)(const fs::path& suite);
  std::string (*review)(const fs::path& suite, Split split, std::size_t first, std::size_t count);
  std::string (*make_twin)(const fs::path& suite, const std::string& seed);
};
constexpr Builder kBuilders[] = {{"infrawise", build, review, build_twin},
                                 {"cmdgen", build_cmdgen, review_cmdgen, build_cmdgen_twin},
                                 {"optiflow", build_optiflow, review_optiflow, build_optiflow_twin},
                                 {"nl2kql", build_nl2kql, review_nl2kql, build_nl2kql_twin}};

// `only`: the suite to make; "": all.
void write_all(const fs::path& suite, const fs::path& raw, const std::string& only) {
  if (!raw.empty()) {
    const Vocabulary vocabulary(suite / "infrawise/vocabulary.json");
    write_file_atomic(suite / "infrawise/pool.jsonl", pool_lines(raw, vocabulary));
  }
  for (const Builder& builder : kBuilders) {
    if (!only.empty() && only != builder.name) continue;
    for (const auto& [path, bytes] : builder.make(suite)) {
      write_file_atomic(suite / path, bytes);
      std::cout << path << ": " << bytes.size() << " bytes\n";
    }
  }
  write_file_atomic(suite / "SHA256SUMS", checksums(suite));
}

// 0 if the files are what the sources give, else 1.
int check(const fs::path& suite) {
  int status = 0;
  for (const Builder& builder : kBuilders) {
    for (const auto& [path, bytes] : builder.make(suite)) {
      if (read_file(suite / path) == bytes) continue;
      std::cerr << path << ": not what the sources give; `micius-data build` makes it again\n";
      status = 1;
    }
  }
  if (read_file(suite / "SHA256SUMS") != checksums(suite)) {
    std::cerr << "SHA256SUMS: not the hashes of the files; `micius-data build` makes it again\n";
    status = 1;
  }
  if (status == 0) std::cout << "every file is what the sources give, and no rule is broken\n";
  return status;
}

Split split_named(const std::string& name) {
  for (const Split split : {Split::kTest, Split::kDev, Split::kTuning, Split::kRobust}) {
    if (name == name_of(split)) return split;
  }
  fail(ErrorCode::kUsage, "unknown split '{}'; known: test, dev, tuning, robust", name);
}

int run(int argc, char** argv) {
  CLI::App app("Makes and checks the data of the AIMicius suites");
  app.require_subcommand(1);
  fs::path suite = MICIUS_SUITE_DIR;
  app.add_option("--suite", suite, "Folder of the suites")->type_name("DIR");
  fs::path raw, out;
  std::string split = "test", seed, name = "infrawise", only;
  std::size_t first = 0, count = 20;
  CLI::App* make = app.add_subcommand("build", "Make every file again from the sources");
  make->add_option("--raw", raw, "Make the pool of records first, from the raw ones")->type_name("FILE");
  make->add_option("--only", only, "One suite alone")
      ->check(CLI::IsMember({"cmdgen", "infrawise", "nl2kql", "optiflow"}));
  CLI::App* verify = app.add_subcommand("check", "Do the files equal what the sources give?");
  CLI::App* read = app.add_subcommand("review", "Print cases to be read by a person");
  read->add_option("--suite-name", name, "cmdgen, infrawise, nl2kql or optiflow")
      ->check(CLI::IsMember({"cmdgen", "infrawise", "nl2kql", "optiflow"}));
  read->add_option("--split", split, "test, dev, tuning or robust");
  read->add_option("--first", first, "Where to begin");
  read->add_option("-n", count, "How many");
  CLI::App* leak = app.add_subcommand("leaks", "Count what CMDGen's test shares with its tuning data");
  CLI::App* apart = app.add_subcommand(
      "siblings",
      "Does each of CMDGen's test cases tell its reference from commands near it? Needs the embedder");
  bool listed = false;
  PlaceFlags places;
  apart->add_flag("--list", listed, "Print each sibling that counts as right, with its Output Score");
  Flags apart_flags(*apart);
  add_model_dir_flag(apart_flags, places);
  CLI::App* twin = app.add_subcommand("reroll", "Make a twin of the test set: other draws, the same rules");
  twin->add_option("--suite-name", name, "cmdgen, infrawise, nl2kql or optiflow")
      ->check(CLI::IsMember({"cmdgen", "infrawise", "nl2kql", "optiflow"}));
  twin->add_option("--seed", seed, "Any text; keep it secret for a private test")->required();
  twin->add_option("-o", out, "File to write")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (*make) write_all(suite, raw, only);
  if (*verify) return check(suite);
  const Builder& named = *std::find_if(std::begin(kBuilders), std::end(kBuilders),
                                       [&](const Builder& one) { return one.name == name; });
  if (*read) std::cout << named.review(suite, split_named(split), first, count);
  if (*leak) std::cout << cmdgen_leaks(suite);
  if (*apart) {
    LazyServices services(0, places);
    const ApartReport report =
        cmdgen_apart(suite, services, listed ? ApartPairs::kListed : ApartPairs::kCounted);
    std::cout << report.text;
    return report.good ? 0 : 1;
  }
  if (*twin) write_file_atomic(out, named.make_twin(suite, seed));
  return 0;
}

}  // namespace
}  // namespace micius::aimicius

int main(int argc, char** argv) {
  try {
    return micius::aimicius::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "micius-data: " << error.what() << "\n";
    return 2;
  }
}
