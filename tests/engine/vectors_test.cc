// The answers for one real model that every setting must give: token for token under fp32, within the limits
// of `precise` under precise. One table of limits; each case runs on every instruction set and with 1 and 2
// threads.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "engine/encode.h"
#include "engine/engine.h"
#include "engine/test_model.h"

namespace micius {
namespace {

struct Limits {
  Numerics numerics;
  double logit;                          // worst distance of a logit
  double weight_each, weight_per_token;  // of a log-likelihood
  double mean_per_token, worst_per_token;
  double margin;              // below it a greedy token may differ
  double edge;                // below it a choice or is_greedy may flip
  double divergence = 1e-3;   // mean KL
  std::size_t top_flips = 0;  // prompts with another likeliest token
  std::size_t compared = 4;   // one in so many greedy tokens at least comes before a margin too small
};
constexpr Limits kFp32{Numerics::kFp32, 1e-3, 1e-3, 2e-4, 1e-3, 1e-3, 0.005, 0.05};
constexpr Limits kPrecise{Numerics::kPrecise, 0.1, 1e9, 0, 0.01, 0.05, 0.05, 0.05};
constexpr Limits kFast{Numerics::kFast, 2, 1e9, 0, 0.1, 0.5, 1, 0.5, 0.01, 3, 100};

struct Setting {
  Isa isa;
  int threads;
  Limits limits;
  std::size_t most_tokens;  // of a row; longer ones are left out
};

// All rows on the best instruction set; the others give its bits (the ops' tests say so) and are slow: a few.
std::vector<Setting> settings() {
  std::vector<Setting> all;
  std::vector<Isa> isas = usable_isas();
  std::reverse(isas.begin(), isas.end());
  for (const Isa isa : isas) {
    for (const Limits& limits : {kFp32, kPrecise}) {
      const bool best = isa == best_isa();
      all.push_back({isa, best ? 2 : 1, limits, best ? 2000U : isa == Isa::kPlain ? 6U : 20U});
    }
  }
  return all;
}

std::vector<Json> rows_of(const std::filesystem::path& path) {
  std::vector<Json> rows;
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    if (!line.empty()) rows.push_back(parse_json(line, path.string() + ":" + std::to_string(number)));
  });
  return rows;
}

EngineOptions options_of(const Setting& setting) {
  EngineOptions options;
  options.numerics = setting.limits.numerics;
  options.isa = setting.isa;
  options.threads = setting.threads;
  return options;
}

std::string name_of(const Setting& setting) {
  return fmt::format("{} {} {}", isa_name(setting.isa), numerics_name(setting.limits.numerics),
                     setting.threads);
}

// What was seen of one kind of rows.
struct Distances {
  std::size_t rows = 0;
  double mean = 0, worst = 0;
  void add(double distance) {
    ++rows;
    mean += (distance - mean) / static_cast<double>(rows);
    worst = std::max(worst, distance);
  }
};
struct Figures {
  Distances logits, divergences, weights;  // weights: a token
  std::size_t top_flips = 0, choice_flips = 0;
  std::size_t texts = 0, equal_texts = 0;
  std::string bits;  // of all results
};

template <typename T>
void take_bits(Figures& figures, const std::vector<T>& values) {
  figures.bits.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// Runs all jobs together; results in the order of `jobs`.
std::vector<JobResult> run_all(Engine& engine, std::vector<Job> jobs) {
  std::map<JobId, std::size_t> index;
  std::vector<JobResult> results(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) index[engine.add(std::move(jobs[i]))] = i;
  while (!engine.idle()) {
    for (JobResult& result : engine.step().finished) results[index.at(result.id)] = std::move(result);
  }
  return results;
}

// KL divergence from the reference's 20 largest and the rest as one event: a lower bound that misses only
// movement inside the tail.
double divergence(const Json& row, const std::vector<float>& logits, double ours) {
  const double reference = row["logsumexp"];
  double kl = 0, reference_rest = 1, our_rest = 1;
  for (const Json& top : row["top20"]) {
    const double log_p = top[1].get<double>() - reference;
    const double log_q = logits[top[0].get<std::size_t>()] - ours;
    kl += std::exp(log_p) * (log_p - log_q);
    reference_rest -= std::exp(log_p);
    our_rest -= std::exp(log_q);
  }
  if (reference_rest > 1e-6 && our_rest > 0) kl += reference_rest * std::log(reference_rest / our_rest);
  return kl;
}

void check_logits(Engine& engine, const Setting& setting, const Json& vectors, Figures& figures) {
  std::vector<Json> rows;
  std::vector<Job> jobs;
  for (const Json& row : vectors["prompts"]) {
    if (row["n"].get<std::size_t>() > setting.most_tokens) continue;
    rows.push_back(row);
    jobs.emplace_back(LogitsJob{row["ids"].get<std::vector<TokenId>>()});
  }
  const std::vector<JobResult> results = run_all(engine, std::move(jobs));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::vector<float>& logits = results[i].logits;
    INFO(name_of(setting) << ", prompt " << rows[i]["name"]);
    REQUIRE(logits.size() == 49152);
    double distance = std::abs(results[i].logsumexp - rows[i]["logsumexp"].get<double>());
    for (const Json& top : rows[i]["top20"]) {
      distance = std::max(distance, std::abs(logits[top[0].get<std::size_t>()] - top[1].get<double>()));
    }
    for (std::size_t k = 0; k < vectors["fixed_ids"].size(); ++k) {
      const double fixed = rows[i]["fixed"][k];
      distance = std::max(distance, std::abs(logits[vectors["fixed_ids"][k].get<std::size_t>()] - fixed));
    }
    CHECK(distance < setting.limits.logit);
    figures.logits.add(distance);
    figures.divergences.add(divergence(rows[i], logits, results[i].logsumexp));
    figures.top_flips += greedy_token(logits) != rows[i]["top20"][0][0].get<TokenId>();
    take_bits(figures, logits);
  }
  CHECK(figures.divergences.mean <= setting.limits.divergence);
  CHECK(figures.top_flips <= setting.limits.top_flips);
}

// Which pair of each group is the likeliest, and by how much.
struct Choice {
  std::size_t best = 0;
  double first = -INFINITY, second = -INFINITY;
  void see(std::size_t index, double logprob) {
    if (logprob > first) {
      second = std::exchange(first, logprob);
      best = index;
    } else {
      second = std::max(second, logprob);
    }
  }
};

void check_weights(Engine& engine, const Setting& setting, const std::vector<Json>& all, Figures& figures) {
  std::vector<Json> rows;
  for (const Json& row : all) {
    if (row["context_ids"].size() + row["continuation_ids"].size() <= setting.most_tokens)
      rows.push_back(row);
  }
  // A group is one job, as a question is.
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& group = rows[i]["group"];
    groups[group.is_null() ? rows[i]["id"].get<std::string>() : group.get<std::string>()].push_back(i);
  }
  std::vector<Job> jobs;
  for (const auto& [name, members] : groups) {
    WeighJob job;
    for (const std::size_t i : members)
      job.pairs.push_back({rows[i]["context_ids"], rows[i]["continuation_ids"]});
    jobs.emplace_back(std::move(job));
  }
  const std::vector<JobResult> results = run_all(engine, std::move(jobs));
  std::size_t job_index = 0;
  for (const auto& [name, members] : groups) {
    Choice expected, got;
    const JobResult& result = results[job_index++];
    REQUIRE(result.weights.size() == members.size());
    for (std::size_t k = 0; k < members.size(); ++k) {
      const Json& row = rows[members[k]];
      const TokenWeight& weight = result.weights[k];
      INFO(name_of(setting) << ", row " << row["id"]);
      const double logprob = row["logprob"], distance = std::abs(weight.logprob - logprob);
      CHECK(weight.tokens == row["tokens"].get<int>());
      CHECK(distance < setting.limits.weight_each + setting.limits.weight_per_token * weight.tokens);
      CHECK(distance / weight.tokens < setting.limits.worst_per_token);
      if (row["greedy_edge"].get<double>() >= setting.limits.edge)
        CHECK(weight.greedy == row["is_greedy"].get<bool>());
      figures.weights.add(distance / weight.tokens);
      take_bits(figures, std::vector{weight.logprob});
      expected.see(k, logprob);
      got.see(k, weight.logprob);
    }
    figures.choice_flips += expected.best != got.best;
    if (expected.first - expected.second > setting.limits.edge) CHECK(expected.best == got.best);
  }
  CHECK(figures.weights.mean < setting.limits.mean_per_token);
}

void check_greedy(Engine& engine, const Setting& setting, const std::vector<Json>& rows, std::size_t most,
                  Figures& figures) {
  std::vector<Job> jobs;
  for (const Json& row : rows) {
    GenerateJob job;
    job.prompt = row["prompt_ids"].get<std::vector<TokenId>>();
    job.max_tokens = static_cast<int>(most);
    jobs.emplace_back(std::move(job));
  }
  const std::vector<JobResult> results = run_all(engine, std::move(jobs));
  std::size_t compared = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    INFO(name_of(setting) << ", prompt " << rows[i]["name"]);
    const std::vector<TokenId> expected = rows[i]["ids"];
    const std::vector<TokenId>& ids = results[i].ids;
    const bool stops = !rows[i]["stop_at"].is_null() && rows[i]["stop_at"].get<std::size_t>() < most;
    std::size_t t = 0;
    while (t < ids.size() && rows[i]["margin"][t].get<double>() >= setting.limits.margin &&
           ids[t] == expected[t])
      ++t;
    compared += t;
    const bool close = t < ids.size() && rows[i]["margin"][t].get<double>() < setting.limits.margin;
    CHECK((close || t == ids.size()));
    ++figures.texts;
    figures.equal_texts += std::equal(ids.begin(), ids.end(), expected.begin());
    take_bits(figures, ids);
    if (t == ids.size()) CHECK(ids.size() == (stops ? rows[i]["stop_at"].get<std::size_t>() + 1 : most));
  }
  CHECK(compared > rows.size() * most / setting.limits.compared);
}

constexpr const char* kColumns =
    "setting | logit rows, worst | KL mean, worst | log-likelihood rows, a token: mean, worst | flips: "
    "choices, "
    "top-1 | texts equal | bits";

std::string row_of(const Setting& setting, const Figures& f) {
  return fmt::format("{} | {}, {:.2g} | {:.2g}, {:.2g} | {}, {:.2g}, {:.2g} | {}, {} | {} of {} | {}",
                     name_of(setting), f.logits.rows, f.logits.worst, f.divergences.mean, f.divergences.worst,
                     f.weights.rows, f.weights.mean, f.weights.worst, f.choice_flips, f.top_flips,
                     f.equal_texts, f.texts, sha256_hex(f.bits).substr(0, 12));
}

struct Vectors {
  Json logits;
  std::vector<Json> weights, greedy;
};

std::optional<Vectors> read_vectors() {
  const auto folder = shared_path("vectors/engine");
  if (!folder) return std::nullopt;
  return Vectors{parse_json(read_file(*folder / "logits.json"), "logits.json"),
                 rows_of(*folder / "loglikelihood.jsonl"), rows_of(*folder / "greedy.jsonl")};
}

TEST_CASE("The model gives the vectors' logits, weights and texts", "[vectors][.slow]") {
  const auto model = test_model();
  const auto vectors = read_vectors();
  if (!vectors || !model) return;
  WARN(kColumns);
  for (const Setting& setting : settings()) {
    Engine engine(*model, options_of(setting));
    Figures figures;
    check_logits(engine, setting, vectors->logits, figures);
    check_weights(engine, setting, vectors->weights, figures);
    if (setting.isa == best_isa()) check_greedy(engine, setting, vectors->greedy, 64, figures);
    WARN(row_of(setting, figures));
  }
}

TEST_CASE("The model gives the vectors' answers: a few of each", "[vectors]") {
  const auto model = test_model();
  auto vectors = read_vectors();
  if (!vectors || !model) return;
  vectors->weights.resize(24);
  vectors->greedy.resize(3);
  const Setting setting{best_isa(), 2, kPrecise, 30};
  Engine engine(*model, options_of(setting));
  Figures figures;
  check_logits(engine, setting, vectors->logits, figures);
  check_weights(engine, setting, vectors->weights, figures);
  check_greedy(engine, setting, vectors->greedy, 8, figures);
}

// Hours of work for a slow machine: run by a script, not in CI. One section a setting, the fast ones first;
// each prints its row when it is through.
TEST_CASE("The model gives every vector on every path", "[.campaign]") {
  const auto model = test_model();
  const auto vectors = read_vectors();
  REQUIRE((vectors && model));
  std::vector<Isa> isas = usable_isas();
  std::reverse(isas.begin(), isas.end());
  for (const Isa isa : isas) {
    for (const Limits& limits : {kPrecise, kFast, kFp32}) {
      for (const int threads : {2, 1}) {
        const Setting setting{isa, threads, limits, 1 << 20};
        DYNAMIC_SECTION(name_of(setting)) {
          Engine engine(*model, options_of(setting));
          Figures figures;
          check_logits(engine, setting, vectors->logits, figures);
          check_weights(engine, setting, vectors->weights, figures);
          check_greedy(engine, setting, vectors->greedy, 64, figures);
          fmt::print("{}\n", row_of(setting, figures));
          std::fflush(stdout);
        }
      }
    }
  }
}

TEST_CASE("Texts become the vectors' tokens", "[vectors]") {
  const auto folder = shared_path("vectors/engine");
  const auto model = test_model();
  if (!folder || !model) return;
  const Tokenizer tokenizer = model_tokenizer(*model);
  for (const Json& row : rows_of(*folder / "loglikelihood.jsonl")) {
    if (row["kind"] == "long_continuation") continue;  // its ids are not split by the rule
    INFO(row["id"]);
    const auto pair =
        encode_pair(tokenizer, row["context"].get<std::string>(), row["continuation"].get<std::string>());
    REQUIRE(std::holds_alternative<TokenPair>(pair));
    CHECK(std::get<TokenPair>(pair).context == row["context_ids"].get<std::vector<TokenId>>());
    CHECK(std::get<TokenPair>(pair).continuation == row["continuation_ids"].get<std::vector<TokenId>>());
  }
  for (const Json& row : rows_of(*folder / "greedy.jsonl")) {
    CHECK(encode_prompt(tokenizer, row["prompt"].get<std::string>()) ==
          row["prompt_ids"].get<std::vector<TokenId>>());
  }
}

}  // namespace
}  // namespace micius
