#include "engine/job_check.h"

#include <variant>
#include <vector>

#include <fmt/format.h>

namespace micius {
namespace {

class JobChecker {
 public:
  JobChecker(std::size_t context, std::size_t vocabulary) : context_(context), vocabulary_(vocabulary) {}

  using Found = std::optional<JobFailure>;

  Found operator()(const WeighJob& job) const {
    for (const TokenPair& pair : job.pairs) {
      if (pair.context.empty()) return JobFailure{"empty_context", "the context has no token"};
      if (pair.continuation.empty()) return JobFailure{"empty_continuation", "the continuation has no token"};
      if (auto failure = too_long(pair.continuation)) return failure;
      if (auto failure = bad_token(pair.context)) return failure;
      if (auto failure = bad_token(pair.continuation)) return failure;
    }
    return std::nullopt;
  }

  Found operator()(const GenerateJob& job) const {
    if (job.prompt.empty()) return JobFailure{"empty_prompt", "the prompt has no token"};
    if (job.max_tokens < 0 || static_cast<std::size_t>(job.max_tokens) >= context_) {
      return JobFailure{"context_too_long",
                        fmt::format("{} new tokens do not fit with a prompt into the model's context of {}",
                                    job.max_tokens, context_)};
    }
    return bad_token(job.prompt);
  }

  Found operator()(const LogitsJob& job) const {
    if (job.ids.empty()) return JobFailure{"empty_prompt", "there are no tokens"};
    if (auto failure = too_long(job.ids)) return failure;
    return bad_token(job.ids);
  }

 private:
  Found too_long(const std::vector<TokenId>& ids) const {
    if (ids.size() <= context_) return std::nullopt;
    return JobFailure{"context_too_long", fmt::format("{} tokens do not fit into the model's context of {}",
                                                      ids.size(), context_)};
  }

  Found bad_token(const std::vector<TokenId>& ids) const {
    for (const TokenId id : ids) {
      if (id < 0 || static_cast<std::size_t>(id) >= vocabulary_) {
        return JobFailure{"bad_token",
                          fmt::format("token {} is not in the vocabulary of {}", id, vocabulary_)};
      }
    }
    return std::nullopt;
  }

  std::size_t context_, vocabulary_;
};

}  // namespace

std::optional<JobFailure> find_fault(const Job& job, std::size_t context, std::size_t vocabulary) {
  return std::visit(JobChecker(context, vocabulary), job);
}

}  // namespace micius
