#include "scorers/cmdgen.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "core/names.h"
#include "emu/registry.h"
#include "sandbox/host_watch.h"
#include "sandbox/sandbox.h"
#include "scorers/extract.h"
#include "scorers/similarity.h"
#include "source_tree.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = source_tree() / "datasets/aimicius/cmdgen";

// A model for tests: the counts of a text's letter pairs, as a vector of length 1.
class PairEmbedder final : public Embedder {
 public:
  std::size_t dim() const override { return 64; }
  std::vector<float> embed(std::span<const std::string> texts) override {
    std::vector<float> all;
    for (const std::string& text : texts) {
      std::vector<double> counts(dim(), 1e-3);
      for (std::size_t i = 1; i < text.size(); ++i)
        counts[(static_cast<unsigned char>(text[i - 1]) * 31U + static_cast<unsigned char>(text[i])) %
               dim()] += 1;
      double square = 0;
      for (const double count : counts) square += count * count;
      for (const double count : counts) all.push_back(static_cast<float>(count / std::sqrt(square)));
    }
    asked += texts.size();
    return all;
  }
  std::size_t count_tokens(std::string_view text) const override { return split_words(text).size(); }
  std::size_t max_tokens() const override { return 254; }
  std::string identity() const override { return "pairs"; }

  std::size_t asked = 0;
};

// Remembers what the last program did; nothing where none ran since it was asked.
class WatchedSandbox final : public Sandbox {
 public:
  explicit WatchedSandbox(Sandbox& sandbox) : sandbox_(sandbox) {}
  ExecResult run(const ExecRequest& request) override {
    last_ = sandbox_.run(request);
    return *last_;
  }
  std::optional<ExecResult> take() { return std::exchange(last_, std::nullopt); }

 private:
  Sandbox& sandbox_;
  std::optional<ExecResult> last_;
};

class TestServices final : public Services {
 public:
  enum class With { kNothing, kEmbedder, kSandbox };
  explicit TestServices(With with) : with_(with) {
    if (with != With::kSandbox) return;
    const fs::path inside = built_inside();
    offer_ = make_sandbox(
        {.box_program = inside / "micius-box", .client_program = inside / "micius-emu", .lanes = 1});
    if (offer_.sandbox) watched_.emplace(*offer_.sandbox);
  }
  Offer<Sandbox> sandbox() override {
    if (with_ != With::kSandbox) return {nullptr, "none for this test"};
    return {watched_ ? &*watched_ : nullptr, offer_.why_not};
  }
  Offer<Embedder> embedder() override {
    if (with_ == With::kEmbedder) return {&embedder_, ""};
    return {nullptr, "none for this test"};
  }
  PairEmbedder& pairs() { return embedder_; }
  WatchedSandbox& watched() { return *watched_; }

 private:
  With with_;
  SandboxOffer offer_;
  std::optional<WatchedSandbox> watched_;
  PairEmbedder embedder_;
};

using With = TestServices::With;

std::unique_ptr<Scorer> make(Services& services, const Json& params = Json::object()) {
  ScorerContext context;
  context.roots.share = source_tree();
  context.services = &services;
  return scorer_registry().get("cmdgen")({"cmdgen", params}, context);
}

Sample sample_of(const std::string& profile, const std::string& reference) {
  Sample sample;
  sample.id = "cmdgen-test-0000";
  sample.targets = {reference};
  sample.extra = {{"profile", profile}, {"fixture", "default"}};
  return sample;
}

Score judged(const Scorer& scorer, const Sample& sample, const std::string& answer) {
  std::vector<Turn> turns(1);
  turns[0].completion.text = answer;
  turns[0].observation = scorer.observe(sample, turns);
  return scorer.score(sample, turns);
}

std::map<std::string, double> values(const Score& score) {
  std::map<std::string, double> map;
  for (const Value& value : score.values) map[value.metric] = value.value;
  return map;
}

// "X N S Z A" of AIMicius 2.10 as five digits.
std::string digits(const Score& score) {
  const auto map = values(score);
  std::string text;
  for (const char* metric : {"exact_match", "normal_match", "success_ratio", "strict_success", "accuracy"})
    text += map.at(metric) == 1 ? '1' : '0';
  return text;
}

bool emulated(const std::string& profile, const std::string& reference) {
  const std::string platform = profile.rfind("mi", 0) == 0 ? "amd" : "nvidia";
  if (!fs::exists(kFolder / "profiles" / (profile + ".json"))) return false;
  for (const std::string_view word : split_words(reference)) {
    if (word == "sudo" || word.find('=') != std::string_view::npos) continue;
    return emu::find_program(word, platform) != nullptr;
  }
  return false;
}

}  // namespace

TEST_CASE("cmdgen scores as the table says") {
  TestServices services(With::kSandbox);
  const auto scorer = make(services);
  const bool has_sandbox = services.sandbox().service != nullptr;
  if (!has_sandbox) WARN("rows that need a sandbox are left out: " << services.sandbox().why_not);
  std::size_t rows = 0, left_out = 0;
  const fs::path path = source_tree() / "tests/scorers/cmdgen.jsonl";
  for_each_line(read_file(path), [&](std::string_view line, std::size_t) {
    const Json row = parse_json(line, path.string());
    const std::string profile = row.at("profile"), reference = row.at("reference");
    if (!emulated(profile, reference) || (row.contains("sandbox") && !has_sandbox)) {
      ++left_out;
      return;
    }
    Sample sample = sample_of(profile, reference);
    if (row.contains("compare")) sample.extra["compare"] = row.at("compare");
    std::string answer = row.at("answer");
    if (row.contains("expected_output")) {  // the output without the work
      CommandJudge judge(kFolder, nullptr, {});
      answer = "printf %s '" + judge.runner().here(reference, {profile, "default"})->out + "'";
    }
    const Score score = judged(*scorer, sample, answer);
    INFO("row " << row.at("row") << ": " << answer << ": " << score.reason);
    REQUIRE(score.verdict != Verdict::kUnscored);
    CHECK(digits(score) == row.at("want"));
    if (row.contains("verdict")) CHECK(name_of(score.verdict) == row.at("verdict").get<std::string>());
    ++rows;
  });
  if (left_out > 0) WARN(left_out << " rows left out");
  CHECK(rows >= 20);
}

TEST_CASE("cmdgen leaves to the sandbox what would hold a judge") {
  const CommandJudge judge(kFolder, nullptr, {});
  const Machine machine{"h100x8", "default"};
  const auto here = [&](const std::string& command) { return judge.runner().here(command, machine); };
  std::string many;
  for (int i = 0; i < 200; ++i) many += "nproc;";
  CHECK(here(many));
  CHECK_FALSE(here(many + "nproc"));
  std::string files;  // each asks twice: once for its file
  for (int i = 0; i < 101; ++i) files += "nvcc -c missing.cu;";
  CHECK_FALSE(here(files));

  std::string heavy;
  while (heavy.size() < 60'000) heavy += "mpirun --oversubscribe -np 1024 nvidia-smi -q -x;";
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(here(heavy));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
}

namespace {

// Every file below a folder: its path, size and last change.
std::string listing_of(const fs::path& folder) {
  std::set<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    lines.insert(fmt::format("{} {} {}\n", entry.path().string(), entry.file_size(),
                             entry.last_write_time().time_since_epoch().count()));
  }
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

// What a row of cmdgen_hostile.jsonl says of the program and what it did, else what differs. `result` is the
// sandbox's, where one was needed.
std::string difference(const Json& row, const Json& effect, const std::optional<ExecResult>& result) {
  std::string wrong;
  const auto same = [&](const char* key, const Json& seen, const Json& wanted) {
    if (seen != wanted) wrong += fmt::format("{}: {}, not {}\n", key, seen.dump(), wanted.dump());
  };
  const auto found = [&](const char* key, const Json& text) {
    if (!row.contains(key)) return;
    if (!std::regex_search(text.get<std::string>(), std::regex(row.at(key).get<std::string>())))
      wrong += fmt::format("{}: {}\n", key, shorten(text.get<std::string>(), 300));
  };
  const Json any = row.value("any", Json::array());
  const auto is_open = [&](const char* key) { return std::find(any.begin(), any.end(), key) != any.end(); };
  if (!is_open("exit")) same("exit", effect.at("exit"), row.value("exit", 0));
  if (!is_open("timed_out")) {
    same("timed_out", result && result->timed_out, row.value("timed_out", false));
    same("out_of_memory", result && result->out_of_memory, row.value("out_of_memory", false));
  }
  same("ended", effect.at("timed_out"), result && (result->timed_out || result->out_of_memory));
  if (!is_open("truncated")) same("truncated", effect.at("truncated"), row.value("truncated", false));
  if (!is_open("signal")) same("signal", result ? result->signal.value_or(0) : 0, row.value("signal", 0));
  same("programs", effect.at("programs"), row.value("programs", Json::array()));
  same("state", effect.at("state_diff"), row.value("state", Json::object()));
  Json paths = Json::array();
  for (const auto& [path, content] : effect.at("files").items()) paths.push_back(path);
  if (!is_open("files")) same("files", paths, row.value("files", Json::array()));
  found("out", effect.at("stdout"));
  found("err", effect.at("stderr"));
  if (result && result->wall > std::chrono::seconds(30)) wrong += "took too long\n";
  return wrong;
}

}  // namespace

TEST_CASE("cmdgen survives hostile answers and scores the next one as before", "[.slow]") {
  {
    const HostWatch host;
    const std::string data = listing_of(kFolder);
    TestServices services(With::kSandbox);
    if (services.sandbox().service == nullptr) {
      WARN("skipped: " << services.sandbox().why_not);
      return;
    }
    const auto scorer = make(services);
    const Sample sample = sample_of("h100x8", "nvidia-smi -L");
    const CommandJudge judge(kFolder, nullptr, {});
    const std::string expected = judge.runner().here("nvidia-smi -L", {"h100x8", "default"})->out;
    const fs::path path = source_tree() / "tests/scorers/cmdgen_hostile.jsonl";
    for_each_line(read_file(path), [&](std::string_view line, std::size_t) {
      const Json row = parse_json(line, path.string());
      std::string answer = replace_all(host.filled(row.at("answer")), "@OUTPUT@", expected);
      answer = replace_all(answer, "@DATA@", kFolder.string());
      const std::string once = answer;
      for (std::size_t i = 1; i < row.value("times", std::size_t{1}); ++i) answer += once;
      std::vector<Turn> turns(1);
      turns[0].completion.text = answer;
      services.watched().take();
      turns[0].observation = scorer->observe(sample, turns);
      const std::optional<ExecResult> result = services.watched().take();
      const Score score = scorer->score(sample, turns);
      INFO(shorten(answer, 200) << ": " << score.reason);
      CHECK(values(score).at("accuracy") == 0);
      if (row.value("none", false)) {
        CHECK(score.verdict == Verdict::kNoAnswer);
        CHECK_FALSE(result);
      } else {
        const Json observed = parse_json(turns[0].observation, "observation");
        REQUIRE(observed.contains("answer"));
        CHECK(difference(row, observed.at("answer"), result) == "");
      }
      CHECK(host.changes() == "");
      CHECK(listing_of(kFolder) == data);
      CHECK(digits(judged(*scorer, sample, "nvidia-smi --list-gpus")) == "01111");
    });
  }
  CHECK(control_groups_of(::getpid()).empty());
  CHECK(descendants(::getpid()).empty());
}

TEST_CASE("cmdgen gives the values of an embedding only where there is one") {
  TestServices with(With::kEmbedder), without(With::kNothing);
  const Sample sample = sample_of("h100x8", "nvidia-smi -L");
  const auto full = values(judged(*make(with), sample, "nvidia-smi -L"));
  CHECK(full.size() == 14);
  for (const char* level : {"calibration_80", "calibration_85", "calibration_95"}) CHECK(full.at(level) == 1);
  CHECK(full.at("similar_only") == 0);
  CHECK(make(with)->environment().at("embedder") == with.pairs().identity());
  CHECK(full.at("cmd_score") == 1);
  CHECK(full.at("output_score") == 1);
  CHECK(full.at("calibration") == 1);
  CHECK(with.pairs().asked == 0);  // equal texts need no model
  const Score bare = judged(*make(without), sample, "nvidia-smi -L");
  CHECK(values(bare).size() == 7);
  CHECK(make(without)->environment() == Json({{"calibration", 0.9}, {"similar", 0.95}}));
  CHECK(bare.verdict == Verdict::kCorrect);
  CHECK(bare.reason == "no embedder: success by equal text");
  const Score none = judged(*make(with), sample, "I cannot.");
  CHECK(values(none).at("cmd_score") == 0);
  CHECK(none.verdict == Verdict::kNoAnswer);
}

TEST_CASE("cmdgen quotes what a tool said on stdout where it said nothing on stderr") {
  TestServices services(With::kEmbedder);
  const Score score =
      judged(*make(services), sample_of("h100x8", "nvidia-smi -L"), "nvidia-smi --no-such-option");
  CHECK(score.reason ==
        "exit status 2, not 0: Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.");
}

TEST_CASE("cmdgen calls an output similar only where it is long and nearly the same") {
  TestServices services(With::kEmbedder);
  const std::string reference = "nvidia-smi -q -i 0";
  const auto scorer = make(services);
  const Score near = judged(*scorer, sample_of("h100x8", reference), "nvidia-smi -q -i 1");
  CHECK(near.reason == "similar, not equal");
  CHECK(values(near).at("success_ratio") == 1);
  CHECK(values(near).at("strict_success") == 0);
  CHECK(values(near).at("similar_only") == 1);
  const auto strict = make(services, {{"similar", 1.0}});
  CHECK(values(judged(*strict, sample_of("h100x8", reference), "nvidia-smi -q -i 1")).at("success_ratio") ==
        0);
  // The virtual time is state: more iterations take longer, however alike the table is.
  const std::string table = "./build/all_reduce_perf -b 8 -e 8G -f 2 -g 8";
  const auto longer = values(judged(*scorer, sample_of("h100x8", table), table + " -n 21"));
  CHECK(longer.at("output_score") > 0.95);
  CHECK(longer.at("success_ratio") == 0);
  const std::string hot = "nvidia-smi -i 2 --query-gpu=temperature.gpu --format=csv,noheader";
  CHECK(values(judged(*scorer, sample_of("h100x8", hot), replace_all(hot, "-i 2", "-i 3"))).at("accuracy") ==
        0);
}

TEST_CASE("a bare sensor reading is masked in the similarity text, by the fields that were queried") {
  const CommandJudge judge(kFolder, nullptr, {});
  const auto text = [&](const std::string& command) {
    const auto effect = judge.runner().here(command, {"h100x8", "default"});
    return judge.texts().similarity(effect_from_json(to_json(effect.value()), "effect"), {"stdout", "files"},
                                    "");
  };
  const std::string query = "nvidia-smi -i 2 --query-gpu=";
  CHECK(text(query + "temperature.gpu --format=csv,noheader") == "<v>\n");
  CHECK(text(query + "index,temperature.gpu,power.limit --format=csv,noheader,nounits") ==
        "2, <v>, 700.00\n");
  CHECK(text(query + "utilization.gpu,memory.total --format=csv") ==
        "utilization.gpu [%], memory.total [MiB]\n<v> %, 81559 MiB\n");
  CHECK(text(query + "temperature.gpu --format=csv,noheader > t.csv") == "==> t.csv <==\n<v>\n");
  CHECK(text(query + "index --format=csv,noheader") == "2\n");
}

TEST_CASE("every window of a long output counts in its similarity") {
  PairEmbedder embedder;
  std::string reference, answer;
  for (int i = 0; i < 200; ++i) {  // windows of one line each
    std::string line;
    for (int k = 0; k < 200; ++k) line += fmt::format("w{} ", i + k % 7);
    reference += line + "\n";
    answer += line + "more\n";
  }
  CHECK(long_similarity(embedder, answer, reference) > 0.95);
  CHECK(embedder.asked == 400);
  // The answer's windows without a partner are not asked, and count 0.
  const std::string first = reference.substr(0, reference.find('\n') + 1);
  CHECK(long_similarity(embedder, answer, first) < 0.01);
  CHECK(embedder.asked == 402);
}

TEST_CASE("cmdgen says why a command could not be judged") {
  TestServices services(With::kNothing);
  const auto scorer = make(services);
  const Score piped = judged(*scorer, sample_of("h100x8", "nvidia-smi -L"), "nvidia-smi -L | cat");
  CHECK(piped.verdict == Verdict::kUnscored);
  CHECK(piped.reason == "the command needs a sandbox: none for this test");
  std::vector<Turn> turns(1);
  turns[0].completion.text = "nvidia-smi -L";
  CHECK(scorer->score(sample_of("h100x8", "nvidia-smi -L"), turns).verdict == Verdict::kUnscored);
  CHECK_THROWS_WITH(make(services, {{"similar", 2}}),
                    "scorer 'cmdgen': field 'similar' must be from 0 to 1, not 2");
  CHECK_THROWS_WITH(make(services, {{"similr", 1}}), Catch::Contains("did you mean 'similar'?"));
}

TEST_CASE("normal forms") {
  const CommandJudge judge(kFolder, nullptr, {});
  const auto of = [&](const std::string& command) {
    return judge.normal_forms().of(command, "nvidia").value_or("none");
  };
  CHECK(of("nvidia-smi -i 2,0 -q --display=POWER,ECC") == "nvidia-smi -d=ECC,POWER -i=0,2 -q");
  CHECK(of("A=1 B=2 /usr/bin/nvidia-smi -L > out 2>&1") == "A=1 B=2 nvidia-smi -L > out 2>&1");
  CHECK(of("B=2 A=1 nvidia-smi -L &> out") == "A=1 B=2 nvidia-smi -L > out 2>&1");
  CHECK(of("env A=1 nvidia-smi") == "A=1 nvidia-smi");
  CHECK(of("B=1 A=3 B=2 nvidia-smi") == "A=3 B=2 nvidia-smi");
  CHECK(of("export A=1; A=2 nvidia-smi") == of("A=2 A=2 nvidia-smi"));
  CHECK(of("bash -c 'nvidia-smi -i 0 -q'") == "nvidia-smi -i=0 -q");
  CHECK(of("./build/all_reduce_perf -b8 -e1G -f2.0 -g8 -n 20") ==
        "all_reduce_perf -b=8 -e=1073741824 -f=2 -g=8");
  CHECK(of("nvcc -O3 -Xptxas -v k.cu -o k") == "nvcc --optimize=3 --resource-usage -o=k k.cu");
  CHECK(of("sudo nvidia-smi -pm ENABLED") == "sudo nvidia-smi -pm=1");
  CHECK(of("echo '$X' $X") == "echo \\$X $X");
  CHECK(of("nvidia-smi | grep 'a b'") == "nvidia-smi | grep 'a b'");
  CHECK(of("for i in 1 2; do nvidia-smi; done") == "none");
  CHECK(of("cat <<EOF\nx\nEOF") == "none");
  CHECK(of("echo 'open") == "none");
  CHECK(of(std::string(100'000, '(')) == "none");
  CHECK(of("nvidia-smi --no-such-option") == "nvidia-smi --no-such-option");
}

TEST_CASE("commands are read out of answers") {
  const CommandJudge judge(kFolder, nullptr, {});
  const auto known = [&](std::string_view word) { return judge.normal_forms().known(word); };
  const fs::path path = source_tree() / "tests/scorers/command.jsonl";
  for_each_line(read_file(path), [&](std::string_view line, std::size_t) {
    const Json row = parse_json(line, path.string());
    INFO(row.at("text"));
    const auto command = read_command(row.at("text").get<std::string>(), known);
    CHECK((command ? Json(*command) : Json()) == row.at("want"));
  });
}

}  // namespace micius
