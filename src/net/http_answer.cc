// What answers and failures are in words.
#include <memory>
#include <utility>

#include <curl/curl.h>

#include "net/http.h"
#include "net/signal_internal.h"

namespace micius {
namespace {

struct UrlCloser {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

}  // namespace

std::optional<std::string_view> HttpHead::header(std::string_view name) const {
  for (const HttpHeader& header : headers)
    if (header.name == name) return header.value;
  return std::nullopt;
}

HttpAnswer fetch(HttpClient& client, HttpRequest request) {
  class Collector final : public HttpSink {
   public:
    bool on_head(const HttpHead& head) override {
      answer_.head = head;
      return true;
    }
    bool on_body(std::string_view bytes) override {
      answer_.body += bytes;
      return true;
    }
    void on_done(const HttpResult& result) override {
      answer_.result = result;
      done_.set();
    }
    HttpAnswer take() {
      done_.wait();
      return std::move(answer_);
    }

   private:
    HttpAnswer answer_;
    Signal done_;
  };
  Collector collector;
  client.start(std::move(request), collector);
  return collector.take();
}

std::string shown_url(std::string_view url) {
  const std::unique_ptr<CURLU, UrlCloser> parts(curl_url());
  if (!parts || curl_url_set(parts.get(), CURLUPART_URL, std::string(url).c_str(), 0) != CURLUE_OK)
    return "(no URL)";
  for (const CURLUPart part :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY, CURLUPART_FRAGMENT})
    curl_url_set(parts.get(), part, nullptr, 0);
  char* text = nullptr;
  if (curl_url_get(parts.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) return "(no URL)";
  std::string shown(text);
  curl_free(text);
  return shown;
}

std::string_view http_failure_name(HttpFailure failure) {
  switch (failure) {
    case HttpFailure::kUrl:
      return "bad URL";
    case HttpFailure::kResolve:
      return "host not found";
    case HttpFailure::kConnect:
      return "no connection";
    case HttpFailure::kCertificate:
      return "wrong certificate";
    case HttpFailure::kRedirect:
      return "redirect";
    case HttpFailure::kIdle:
      return "silent";
    case HttpFailure::kTotal:
      return "too slow";
    case HttpFailure::kDeadline:
      return "too late";
    case HttpFailure::kTooLarge:
      return "too large";
    case HttpFailure::kBroken:
      return "connection broken";
    case HttpFailure::kStopped:
      return "stopped";
    case HttpFailure::kCancelled:
      return "cancelled";
  }
  return "";
}

}  // namespace micius
