#include "runners/pseudo_runner.h"

#include <utility>
#include <variant>

namespace micius {
namespace {

constexpr double kNever = -1000;

const char* word(PseudoModel model) {
  switch (model) {
    case PseudoModel::kReference:
      return "reference";
    case PseudoModel::kEmpty:
      return "empty";
    case PseudoModel::kRandom:
      return "random";
  }
  return "";
}

}  // namespace

PseudoRunner::PseudoRunner(PseudoModel model, const Clock& clock) : model_(model), clock_(&clock) {
  info_.name = info_.kind = word(model);
  info_.splits = true;
  info_.chat_template = true;  // takes messages wherever they are
}

Completion PseudoRunner::answer(const Request& request) const {
  Completion completion;
  completion.id = request.id;
  completion.timing.planned = completion.timing.sent = clock_->now();
  if (model_ != PseudoModel::kEmpty) {
    const std::string& text = model_ == PseudoModel::kRandom ? request.other_reference : request.reference;
    if (const auto* weigh = std::get_if<LikelihoodInput>(&request.prompt.input)) {
      for (std::size_t i = 0; i < weigh->pairs.size(); ++i) {
        const bool right = std::to_string(i) == text;
        completion.likelihoods.push_back({right ? 0 : kNever, 1, right});
      }
    } else {
      completion.text = text;
    }
  }
  completion.timing.done = clock_->now();
  return completion;
}

void PseudoRunner::submit(std::vector<Request> requests, CompletionSink& sink) {
  for (const Request& request : requests) sink.on_done(answer(request));
}

}  // namespace micius
