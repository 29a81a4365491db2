// The whole program against lm-evaluation-harness, document by document: log-likelihoods in fp32, the choice,
// the scores. Tolerances are those of the vectors' README.
#include <cmath>
#include <map>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "cli/program.h"
#include "shared_files.h"
#include "temp_dir.h"

namespace micius {
namespace {

struct Variant {
  const char* file;
  const char* task;
  std::vector<std::string> flags;
};

const std::vector<Variant> kVariants = {
    {"arc_easy.jsonl", "arc_easy", {}},
    {"arc_challenge.jsonl", "arc_challenge", {}},
    {"openbookqa.jsonl", "openbookqa", {}},
    {"hellaswag.jsonl", "hellaswag", {}},
    {"piqa.jsonl", "piqa", {}},
    {"winogrande.jsonl", "winogrande", {}},
    {"lambada_openai.jsonl", "lambada_openai", {}},
    {"winogrande_5shot.jsonl", "winogrande", {"--shots", "5"}},
    {"arc_easy_5shot.jsonl", "arc_easy", {"--shots", "5"}},
    {"arc_easy_chat.jsonl", "arc_easy", {"--chat-template", "on"}},
};

// The harness's documents, by sample id.
std::map<std::string, Json> documents(const std::filesystem::path& path) {
  std::map<std::string, Json> rows;
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, path.filename().string() + ":" + std::to_string(number));
    rows[std::to_string(row.at("doc").get<int>())] = row;
  });
  return rows;
}

void check_request(const Json& ours, const Json& likelihood, const Json& theirs) {
  const std::string context = ours.at("context"), continuation = ours.at("continuation");
  CHECK(sha256_hex(context + std::string(1, '\0') + continuation) ==
        theirs.at("prompt_sha256").get<std::string>());
  const double expected = theirs.at("ll");
  const double logprob = likelihood.at("logprob");
  CHECK(std::abs(logprob - expected) <= 1e-3 + 1e-4 * std::abs(expected));
  CHECK(likelihood.at("tokens") == theirs.at("n_cont"));
  CHECK(likelihood.at("greedy") == theirs.at("greedy"));
}

void check_document(const Json& ours, const Json& theirs) {
  const Json& turn = ours.at("turns").at(0);
  const Json& requests = theirs.at("requests");
  REQUIRE(turn.at("likelihoods").size() == requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    INFO("choice " << i);
    check_request(turn.at("prompt").at("pairs").at(i), turn.at("likelihoods").at(i), requests.at(i));
  }
  // A near tie may fall either way; a single pair has none.
  if (theirs.value("margin", 1.0) >= 0.01) CHECK(ours.at("values").at("acc") == theirs.at("acc"));
  if (theirs.contains("acc_norm") && theirs.at("margin_norm") >= 0.001)
    CHECK(ours.at("values").at("acc_norm") == theirs.at("acc_norm"));
}

}  // namespace

TEST_CASE("the general tasks agree with lm-evaluation-harness document by document", "[.slow]") {
  const TempDir folder;
  if (run_micius(folder.path(), {}, {"model", "info", "smollm2-135m"}).out.find("not here") !=
      std::string::npos) {
    WARN("skipped: the model is not here; micius model fetch smollm2-135m");
    return;
  }
  for (const Variant& variant : kVariants) {
    const auto file = vector_folder() / "lm_eval" / variant.file;
    if (!std::filesystem::exists(file) || !std::filesystem::exists(data_folder() / "general")) {
      WARN("skipped: " << file.string() << " or the data is not there");
      return;
    }
    const auto theirs = documents(file);
    std::string ids;
    for (const auto& [id, row] : theirs) ids += (ids.empty() ? "" : ",") + id;
    std::vector<std::string> arguments = {"run",          variant.task, "--model",    "smollm2-135m",
                                          "--numerics",   "fp32",       "-q",         "--fresh",
                                          "--sample-ids", ids,          "--data-dir", data_folder().string()};
    arguments.insert(arguments.end(), variant.flags.begin(), variant.flags.end());
    const Outcome run = run_micius(folder.path(), {}, arguments);
    INFO(variant.file << ": " << run.err);
    REQUIRE(run.exit_code == 0);

    std::size_t seen = 0;
    const Outcome shown = run_micius(folder.path(), {}, {"show", "latest", "--samples", "--format", "jsonl"});
    for_each_line(shown.out, [&](std::string_view line, std::size_t) {
      const Json ours = parse_json(line, "micius show");
      const std::string id = ours.at("sample_id");
      INFO(variant.file << " document " << id);
      check_document(ours, theirs.at(id));
      ++seen;
    });
    CHECK(seen == theirs.size());
  }
}

}  // namespace micius
