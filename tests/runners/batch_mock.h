// A provider's batch API as a test has it: OpenAI's and Anthropic's at one address.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "net/fault_server.h"

namespace micius {

// What becomes of one question.
struct MockOutcome {
  enum class Kind { kText, kError, kExpired, kCancelled, kMissing };
  Kind kind = Kind::kText;
  std::string text = {};  // the answer, or the error's message
  int status = 200;       // of an error
  std::string code = {};
};

class BatchMock {
 public:
  // `judge` gets the last message's text and how often the question was asked, from 1. Called when the batch
  // is made.
  using Judge = std::function<MockOutcome(const std::string& text, int times)>;
  explicit BatchMock(Judge judge);

  std::string url() const { return server_.url("/v1"); }
  std::string root() const { return server_.url(""); }
  // How often each question was asked, and in which batches.
  std::map<std::string, int> asked() const;
  std::size_t batches() const;
  std::vector<SeenRequest> seen() const { return server_.seen(); }
  // Answers of requests about batches from now on: how many looks a batch takes to end.
  void set_looks(int looks);
  // The next batch that is made is not told: the connection ends instead.
  void lose_next_answer();
  void garble_next_answer();  // a page of some proxy comes in its place
  // What is answered to who asks for the list of batches; an empty body: the list.
  void set_list(int status, std::string body);
  // A batch of somebody else's, made now, with so many questions.
  void add_foreign(std::size_t requests);
  void set_status(const std::string& status);  // "failed", "cancelled", ..: of batches that end
  void forget_all();                           // every batch is gone
  // Called before each request is looked at, with its number from 1. False: its connection ends instead.
  void on_request(std::function<bool(int number)> hook);

 private:
  struct Batch {
    std::string id, token;
    std::vector<std::pair<std::string, MockOutcome>> rows = {};  // by custom_id
    int looks = 0;
    bool is_gone = false;
  };

  void serve(Exchange& exchange);
  void serve_openai(Exchange& exchange, const std::string& path);
  void serve_anthropic(Exchange& exchange, const std::string& path);
  Batch& make(const std::string& token, const std::vector<std::pair<std::string, Json>>& questions);
  void tell(Exchange& exchange, const Json& json);
  void tell_made(Exchange& exchange, const Json& json);
  Batch* find(const std::string& id);
  Json openai_batch(Batch& batch) const;
  Json anthropic_batch(Batch& batch) const;

  const Judge judge_;
  mutable std::mutex mutex_;  // of all below
  std::map<std::string, std::string> files_;
  std::vector<Batch> batches_;
  std::map<std::string, int> asked_;
  int looks_ = 0;
  enum class Answer { kWhole, kLost, kGarbled } next_answer_ = Answer::kWhole;
  int list_status_ = 200;
  std::string list_body_;
  std::string status_ = "completed";
  std::function<bool(int)> hook_;
  FaultServer server_;  // the last: its threads use all above
};

}  // namespace micius
