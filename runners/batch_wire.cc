#include "runners/batch_wire.h"

#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "net/api_json.h"

namespace micius {
namespace {

constexpr std::uint64_t kLargestResults = std::uint64_t{1} << 30;

ApiQueueOptions options_of(const ApiLink& link, int retries) {
  return {.governor = {}, .retries = retries, .first_wait = link.settings().first_wait};
}

ApiEnd bad_response(const std::string& what) {
  return {ApiNext::kFail, "bad_response", what + ", where a batch API was expected"};
}

}  // namespace

class BatchWire::Call final : public ApiCall {
 public:
  struct Result {
    WireAnswer answer;
    ApiEnd end;
  };
  Call(ApiLink& link, HttpRequest request) : link_(link), request_(std::move(request)) {}

  HttpRequest request() override {
    sent_ = link_.fields();
    return request_;
  }
  double tokens() const override { return 1; }
  ApiVerdict judge(const ApiAnswer& answer) override {
    const int status = answer.head.status;
    if (status / 100 == 2 || (status == 404 && request_.method == "GET")) {
      result->answer = {status, answer.body};
      return {};
    }
    return link_.verdict_on(error_of(answer.head, answer.body, link_.clock().utc()), answer, sent_);
  }
  void ended(const ApiEnd& end) override { result->end = end; }

  std::shared_ptr<Result> result = std::make_shared<Result>();  // of the call and of who waits for it

 private:
  ApiLink& link_;
  const HttpRequest request_;
  ApiFields sent_;
};

BatchWire::BatchWire(ApiLink& link)
    : link_(link),
      client_({link.settings().user_agent, link.settings().ca_file}),
      queue_(client_, link.endpoint().url, options_of(link, link.settings().retries)) {}

ApiQueue& BatchWire::queue_for(Tries tries) {
  if (tries == Tries::kMany) return queue_;
  const std::lock_guard lock(mutex_);
  careful_queue_.reset();
  careful_client_ =
      std::make_unique<HttpClient>(HttpOptions{link_.settings().user_agent, link_.settings().ca_file});
  careful_queue_ = std::make_unique<ApiQueue>(*careful_client_, link_.endpoint().url, options_of(link_, 0));
  return *careful_queue_;
}

BatchStep<WireAnswer> BatchWire::ask(HttpRequest request, Tries tries) {
  request.headers.insert(request.headers.begin(), link_.endpoint().headers.begin(),
                         link_.endpoint().headers.end());
  request.limits.total = link_.settings().timeout;
  request.limits.idle = link_.longest_silence();
  request.limits.body_bytes = kLargestResults;
  auto call = std::make_unique<Call>(link_, std::move(request));
  const auto result = call->result;
  std::vector<std::unique_ptr<ApiCall>> calls;
  calls.push_back(std::move(call));
  ApiQueue& queue = queue_for(tries);
  queue.add(std::move(calls));
  if (is_cancelled_) queue.cancel();
  queue.drain();
  if (result->end.next == ApiNext::kDone) return std::move(result->answer);
  ApiEnd end = result->end;
  end.message = link_.safe(end.message);
  return end;
}

BatchStep<WireAnswer> BatchWire::get(const std::string& path) {
  return ask({.method = "GET", .url = link_.endpoint().url + path}, Tries::kMany);
}

BatchStep<WireAnswer> BatchWire::post(const std::string& path, const Content& content, Tries tries) {
  HttpRequest request{.method = "POST", .url = link_.endpoint().url + path};
  request.headers = {{"Content-Type", content.type}};
  request.body = content.bytes;
  return ask(std::move(request), tries);
}

void BatchWire::resume() { is_cancelled_ = false; }

void BatchWire::cancel() {
  is_cancelled_ = true;
  queue_.cancel();
  const std::lock_guard lock(mutex_);
  if (careful_queue_) careful_queue_->cancel();
}

BatchStep<Json> object_of(const BatchStep<WireAnswer>& answer) {
  if (const auto* end = std::get_if<ApiEnd>(&answer)) return *end;
  const std::string& body = std::get<WireAnswer>(answer).body;
  std::optional<Json> json = parse_body(body);
  if (!json || !json->is_object()) return bad_response(fmt::format("'{}'", kept(strip(body).substr(0, 200))));
  return *std::move(json);
}

BatchStep<std::string> id_at(const Json& json, const char* key) {
  static constexpr std::string_view kBytes =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string id = text_at(json, key);
  if (id.empty() || id.size() > 200 || id.find_first_not_of(kBytes) != std::string::npos)
    return bad_response(fmt::format("no '{}' in '{}'", key, kept(dump_json(json)).substr(0, 200)));
  return id;
}

}  // namespace micius
