// What is computed together must not change a bit of what comes out.
#include "engine/scheduler.h"

#include <algorithm>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "base/rng.h"
#include "engine/engine.h"
#include "engine/tiny_model.h"

namespace micius {
namespace {

std::vector<JobResult> run_all(Engine& engine, const std::vector<Job>& jobs) {
  std::map<JobId, std::size_t> index;
  std::vector<JobResult> results(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) index[engine.add(jobs[i])] = i;
  while (!engine.idle()) {
    for (JobResult& result : engine.step().finished) results[index.at(result.id)] = std::move(result);
  }
  return results;
}

std::vector<TokenId> random_tokens(Rng& rng, std::size_t n) {
  std::vector<TokenId> ids(n);
  for (TokenId& id : ids) id = static_cast<TokenId>(rng.below(kTinyVocabulary));
  return ids;
}

// Questions with a common header, choices that share a context, texts, logits.
std::vector<Job> mixed_jobs() {
  Rng rng("scheduler test");
  const std::vector<TokenId> header = random_tokens(rng, 90);
  std::vector<Job> jobs;
  for (int i = 0; i < 10; ++i) {
    std::vector<TokenId> context = header;
    for (const TokenId id : random_tokens(rng, 5 + rng.below(70))) context.push_back(id);
    WeighJob weigh;
    for (int choice = 0; choice < 4; ++choice)
      weigh.pairs.push_back({context, random_tokens(rng, 1 + rng.below(9))});
    weigh.pairs.push_back({random_tokens(rng, 3), random_tokens(rng, 2)});
    jobs.emplace_back(std::move(weigh));
    GenerateJob generate;
    generate.prompt = i % 2 == 0 ? context : random_tokens(rng, 20);
    generate.max_tokens = 12;
    generate.sampling.temperature = i % 3 == 0 ? 0 : 0.8;
    generate.stream = "7/sampling/" + std::to_string(i);
    jobs.emplace_back(std::move(generate));
    jobs.emplace_back(LogitsJob{random_tokens(rng, 1 + rng.below(150))});
  }
  return jobs;
}

void check_equal(const JobResult& a, const JobResult& b) {
  REQUIRE_FALSE(a.failure);
  REQUIRE_FALSE(b.failure);
  CHECK(a.ids == b.ids);
  CHECK(a.text == b.text);
  CHECK(a.logits == b.logits);
  CHECK(a.prompt_tokens == b.prompt_tokens);
  REQUIRE(a.weights.size() == b.weights.size());
  for (std::size_t i = 0; i < a.weights.size(); ++i) {
    CHECK(a.weights[i].logprob == b.weights[i].logprob);
    CHECK(a.weights[i].greedy == b.weights[i].greedy);
    CHECK(a.weights[i].tokens == b.weights[i].tokens);
  }
}

TokenCounts work_of(const std::vector<JobResult>& results) {
  TokenCounts sum;
  for (const JobResult& result : results) {
    sum.forwarded += result.work.forwarded;
    sum.naive += result.work.naive;
  }
  return sum;
}

TEST_CASE("Batches, chunks, threads and shared beginnings change no bit", "[scheduler]") {
  const TinyModel model;
  const std::vector<Job> jobs = mixed_jobs();
  for (const Numerics numerics : {Numerics::kFp32, Numerics::kPrecise, Numerics::kFast}) {
    EngineOptions options;
    options.numerics = numerics;
    options.threads = 1;
    std::vector<JobResult> alone;
    for (const Job& job : jobs) {  // nothing to share, nothing beside it
      Engine engine(model.path(), options);
      alone.push_back(run_all(engine, {job}).front());
    }
    for (const auto& [threads, batch_tokens] : {std::pair{1, 64}, {2, 2048}, {2, 7}, {2, 1}}) {
      options.threads = threads;
      options.batch_tokens = static_cast<std::size_t>(batch_tokens);
      Engine engine(model.path(), options);
      const std::vector<JobResult> together = run_all(engine, jobs);
      INFO(numerics_name(numerics) << ", " << threads << " threads, " << batch_tokens << " tokens a step");
      for (std::size_t i = 0; i < jobs.size(); ++i) check_equal(alone[i], together[i]);
      CHECK(work_of(together).forwarded < work_of(together).naive * 3 / 4);
      CHECK(work_of(together).naive == work_of(alone).naive);
    }
  }
}

TEST_CASE("Where beginnings are computed again, all that could be shared is forwarded", "[scheduler]") {
  const TinyModel model;
  const std::vector<Job> jobs = mixed_jobs();
  EngineOptions options;
  options.threads = 2;
  Engine shared(model.path(), options);
  const std::vector<JobResult> expected = run_all(shared, jobs);
  options.beginnings = Beginnings::kComputedAgain;
  Engine engine(model.path(), options);
  const std::vector<JobResult> again = run_all(engine, jobs);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    INFO("job " << i);
    check_equal(expected[i], again[i]);
    CHECK(again[i].work.forwarded == again[i].work.naive);
    CHECK(again[i].work.naive == expected[i].work.naive);
  }
}

TEST_CASE("Selective V changes what is written, whatever stands beside it", "[scheduler]") {
  const TinyModel model;
  EngineOptions options;
  options.threads = 1;
  const std::vector<Job> jobs = mixed_jobs();
  Engine full(model.path(), options);
  const std::vector<JobResult> before = run_all(full, jobs);
  options.selection = selection_from("3,raw");
  CHECK(selection_name(options.selection) == "3,raw");
  std::vector<JobResult> alone;
  std::vector<Job> turns = jobs;
  for (const Job& job : jobs) {
    Engine engine(model.path(), options);
    alone.push_back(run_all(engine, {job}).front());
    // A next turn, which begins with what was read and written before.
    if (const auto* generate = std::get_if<GenerateJob>(&job)) {
      GenerateJob next = *generate;
      next.prompt.insert(next.prompt.end(), alone.back().ids.begin(), alone.back().ids.end());
      next.prompt.push_back(7);
      turns.emplace_back(next);
    }
  }
  for (std::size_t i = jobs.size(); i < turns.size(); ++i) {
    Engine engine(model.path(), options);
    alone.push_back(run_all(engine, {turns[i]}).front());
  }
  std::size_t changed = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (std::holds_alternative<LogitsJob>(jobs[i])) check_equal(before[i], alone[i]);
    changed += before[i].ids != alone[i].ids ? 1 : 0;
  }
  CHECK(changed > 3);
  for (const auto& [threads, batch_tokens] : {std::pair{1, 64}, {2, 2048}, {2, 7}}) {
    options.threads = threads;
    options.batch_tokens = static_cast<std::size_t>(batch_tokens);
    Engine engine(model.path(), options);
    INFO(threads << " threads, " << batch_tokens << " tokens a step");
    const std::vector<JobResult> first = run_all(engine, {turns.begin(), turns.begin() + jobs.size()});
    const std::vector<JobResult> next = run_all(engine, {turns.begin() + jobs.size(), turns.end()});
    for (std::size_t i = 0; i < jobs.size(); ++i) check_equal(alone[i], first[i]);
    for (std::size_t i = 0; i < next.size(); ++i) check_equal(alone[jobs.size() + i], next[i]);
  }
  for (const char* wrong : {"", "0", "x", "-1", "5,", "5,row", "5 raw"}) {
    CHECK_THROWS_WITH(selection_from(wrong), Catch::Contains("selective V is a number"));
  }
}

TEST_CASE("Little memory makes jobs wait and too little refuses them", "[scheduler]") {
  const TinyModel model;
  EngineOptions options;
  options.threads = 1;
  const std::vector<Job> jobs = mixed_jobs();
  Engine roomy(model.path(), options);
  const std::vector<JobResult> expected = run_all(roomy, jobs);
  options.kv_memory = 10 * kTinyBlockBytes;  // what the largest question takes
  Engine tight(model.path(), options);
  const std::vector<JobResult> results = run_all(tight, jobs);
  for (std::size_t i = 0; i < jobs.size(); ++i) check_equal(expected[i], results[i]);

  options.kv_memory = kTinyBlockBytes;
  Engine small(model.path(), options);
  Rng rng("small");
  const JobResult refused = run_all(small, {LogitsJob{random_tokens(rng, 65)}}).front();
  REQUIRE(refused.failure);
  CHECK(refused.failure->code == "kv_memory");
  CHECK(run_all(small, {LogitsJob{random_tokens(rng, 64)}}).front().logits.size() == kTinyVocabulary);
}

TEST_CASE("Jobs that cannot be done say why", "[scheduler]") {
  const TinyModel model;
  EngineOptions options;
  options.threads = 1;
  Engine engine(model.path(), options);
  const std::vector<TokenId> most(kTinyContext, 5), more(kTinyContext + 1, 5);
  GenerateJob no_room;
  no_room.prompt = {1};
  no_room.max_tokens = static_cast<int>(kTinyContext);
  const std::vector<std::pair<Job, std::string>> cases = {
      {WeighJob{{{{1}, {}}}}, "empty_continuation"}, {WeighJob{{{{}, {1}}}}, "empty_context"},
      {WeighJob{{{{1}, more}}}, "context_too_long"}, {WeighJob{{{{1}, {-1}}}}, "bad_token"},
      {WeighJob{{{{99999}, {1}}}}, "bad_token"},     {LogitsJob{{}}, "empty_prompt"},
      {LogitsJob{more}, "context_too_long"},         {no_room, "context_too_long"}};
  for (const auto& [job, code] : cases) {
    const JobResult result = run_all(engine, {job}).front();
    REQUIRE(result.failure);
    CHECK(result.failure->code == code);
  }
  CHECK(run_all(engine, {WeighJob{{{{1}, most}}}}).front().weights.front().tokens ==
        static_cast<int>(kTinyContext));
  CHECK(run_all(engine, {WeighJob{}}).front().weights.empty());
}

TEST_CASE("A context that is too long loses its beginning", "[scheduler]") {
  const TinyModel model;
  EngineOptions options;
  options.threads = 1;
  Engine engine(model.path(), options);
  Rng rng("long");
  const std::vector<TokenId> context = random_tokens(rng, kTinyContext + 50),
                             continuation = random_tokens(rng, 4);
  // One token more than the context is kept, because the last one is not read.
  const std::vector<TokenId> kept(context.end() - static_cast<std::ptrdiff_t>(kTinyContext + 1 - 4),
                                  context.end());
  const std::vector<JobResult> results =
      run_all(engine, {WeighJob{{{context, continuation}}}, WeighJob{{{kept, continuation}}}});
  CHECK(results[0].weights[0].logprob == results[1].weights[0].logprob);

  GenerateJob generate;
  generate.prompt = context;
  generate.max_tokens = 3;
  GenerateJob cut = generate;
  cut.prompt.assign(context.end() - static_cast<std::ptrdiff_t>(kTinyContext - 3), context.end());
  const std::vector<JobResult> texts = run_all(engine, {generate, cut});
  CHECK(texts[0].ids == texts[1].ids);
  CHECK(texts[0].prompt_tokens == kTinyContext - 3);
}

TEST_CASE("A cancelled job gives no result and leaves the others alone", "[scheduler]") {
  const TinyModel model;
  EngineOptions options;
  options.threads = 1;
  options.batch_tokens = 16;
  const std::vector<Job> jobs = mixed_jobs();
  Engine all(model.path(), options);
  const std::vector<JobResult> expected = run_all(all, jobs);
  Engine engine(model.path(), options);
  std::map<JobId, std::size_t> index;
  for (std::size_t i = 0; i < jobs.size(); ++i) index[engine.add(jobs[i])] = i;
  std::size_t seen = 0;
  for (int steps = 0; !engine.idle(); ++steps) {
    for (const auto& [id, i] : index) {
      if (i % 3 == 0 && static_cast<int>(i) < steps) engine.cancel(id);
    }
    for (const JobResult& result : engine.step().finished) {
      check_equal(expected[index.at(result.id)], result);
      ++seen;
    }
  }
  CHECK(seen >= 20);
  CHECK(seen < 30);
}

TEST_CASE("A refused job that is cancelled gives no result either", "[scheduler]") {
  const TinyModel model;
  EngineOptions options;
  options.threads = 1;
  Engine engine(model.path(), options);
  engine.cancel(engine.add(LogitsJob{{-1}}));
  CHECK(engine.idle());
  CHECK(engine.step().finished.empty());
}

}  // namespace
namespace {

// Every generation's tokens as they came, and its result.
struct Watched {
  std::vector<NewToken> tokens;
  JobResult result;
};

std::vector<Watched> watch_all(Engine& engine, const std::vector<GenerateJob>& jobs) {
  std::map<JobId, std::size_t> index;
  std::vector<Watched> watched(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) index[engine.add(jobs[i])] = i;
  while (!engine.idle()) {
    StepResult step = engine.step();
    for (NewToken& token : step.tokens) watched[index.at(token.job)].tokens.push_back(std::move(token));
    for (JobResult& result : step.finished) watched[index.at(result.id)].result = std::move(result);
  }
  return watched;
}

bool same(const TokenLogprobs& a, const TokenLogprobs& b) {
  const auto equal = [](const TokenChance& x, const TokenChance& y) {
    return x.id == y.id && x.logprob == y.logprob;
  };
  return equal(a.token, b.token) &&
         std::equal(a.best.begin(), a.best.end(), b.best.begin(), b.best.end(), equal);
}

std::vector<GenerateJob> weighed_texts() {
  Rng rng("weighed texts");
  const std::vector<TokenId> header = random_tokens(rng, 70);
  std::vector<GenerateJob> jobs;
  for (int i = 0; i < 6; ++i) {
    GenerateJob job;
    job.prompt = header;
    for (const TokenId id : random_tokens(rng, 3 + rng.below(40))) job.prompt.push_back(id);
    job.max_tokens = i == 5 ? 0 : 10;
    job.sampling.temperature = i % 2 == 0 ? 0 : 1.5;
    job.stream = std::to_string(i);
    job.best = 4;
    job.weighs_prompt = i > 1;
    jobs.push_back(std::move(job));
  }
  return jobs;
}

}  // namespace

TEST_CASE("Log-probabilities of tokens are those of weighed pairs, in any batch", "[scheduler]") {
  const TinyModel model;
  EngineOptions options;
  options.threads = 1;
  Engine alone(model.path(), options);
  std::vector<Watched> expected;
  for (const GenerateJob& job : weighed_texts()) expected.push_back(watch_all(alone, {job}).front());
  const Watched& watched = expected[2];
  const GenerateJob job = weighed_texts()[2];
  REQUIRE_FALSE(watched.tokens.empty());
  REQUIRE(watched.result.prompt_logprobs.size() == job.prompt.size() - 1);
  std::vector<TokenId> context(job.prompt.begin(), job.prompt.begin() + 50);
  double sum = 0;
  WeighJob weigh{{{context, {job.prompt.begin() + 50, job.prompt.end()}}, {job.prompt, watched.result.ids}}};
  const std::vector<JobResult> results = run_all(alone, {weigh});
  for (std::size_t t = 50; t < job.prompt.size(); ++t) {
    CHECK(watched.result.prompt_logprobs[t - 1].token.id == job.prompt[t]);
    sum += watched.result.prompt_logprobs[t - 1].token.logprob;
  }
  CHECK(sum == results[0].weights[0].logprob);
  sum = 0;
  for (const NewToken& token : watched.tokens) {
    REQUIRE(token.logprobs);
    CHECK(token.logprobs->token.id == token.id);
    REQUIRE(token.logprobs->best.size() == 4);
    CHECK(token.logprobs->best[0].id == token.id);  // it is greedy
    for (std::size_t i = 1; i < 4; ++i)
      CHECK(token.logprobs->best[i - 1].logprob >= token.logprobs->best[i].logprob);
    sum += token.logprobs->token.logprob;
  }
  CHECK(sum == results[0].weights[1].logprob);
  CHECK(expected[0].result.prompt_logprobs.empty());
  CHECK(expected[5].tokens.empty());
  CHECK_FALSE(expected[5].result.stopped);
  for (const std::size_t batch : {1, 7, 64, 2048}) {
    options.threads = batch % 2 == 0 ? 2 : 1;
    options.batch_tokens = batch;
    Engine engine(model.path(), options);
    const std::vector<Watched> together = watch_all(engine, weighed_texts());
    for (std::size_t i = 0; i < together.size(); ++i) {
      INFO("batch " << batch << ", job " << i);
      check_equal(expected[i].result, together[i].result);
      CHECK(std::equal(expected[i].result.prompt_logprobs.begin(), expected[i].result.prompt_logprobs.end(),
                       together[i].result.prompt_logprobs.begin(), together[i].result.prompt_logprobs.end(),
                       same));
      REQUIRE(expected[i].tokens.size() == together[i].tokens.size());
      for (std::size_t t = 0; t < together[i].tokens.size(); ++t)
        CHECK(same(*expected[i].tokens[t].logprobs, *together[i].tokens[t].logprobs));
    }
  }
}

TEST_CASE("The pieces of a text joined are the text, whatever it stops at", "[scheduler]") {
  const TinyModel model;
  EngineOptions options;
  options.threads = 1;
  Engine engine(model.path(), options);
  GenerateJob job;
  job.prompt = {72, 105};
  job.max_tokens = 40;
  job.sampling.temperature = 1;
  std::size_t stopped = 0;
  for (int i = 0; i < 20; ++i) {
    job.stream = "pieces " + std::to_string(i);
    job.stop = {};
    const std::string whole = watch_all(engine, {job}).front().result.text;
    if (whole.size() < 12) continue;
    job.stop = {whole.substr(5, 4) + "never", whole.substr(7, 3), "also never"};
    const Watched watched = watch_all(engine, {job}).front();
    std::string joined;
    for (const NewToken& token : watched.tokens) {
      joined += token.text;
      CHECK(whole.starts_with(joined));
    }
    CHECK(joined == watched.result.text);
    CHECK(watched.result.ids.size() == watched.tokens.size());
    stopped += watched.result.stopped ? 1 : 0;
  }
  CHECK(stopped > 5);
}

}  // namespace micius
