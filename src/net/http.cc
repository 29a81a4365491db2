#include "net/http.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <curl/curl.h>

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::steady_clock::time_point;

constexpr long kRedirects = 10;
constexpr long kKeptConnections = 1024;
constexpr milliseconds kLongestSleep{60'000};

struct EasyCloser {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyCloser>;
struct ListCloser {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListCloser>;

// One request under way. Its address is what libcurl's callbacks get.
struct Transfer {
  HttpRequest request;
  HttpSink* sink = nullptr;
  Easy easy;
  List headers;
  char error[CURL_ERROR_SIZE] = "";
  HttpHead head;
  bool head_given = false;
  bool is_sent = false, was_lost = false;  // was_lost: the connection ended after that without an answer
  std::size_t head_bytes = 0;
  std::uint64_t body_bytes = 0;
  // Why a callback ended the transfer, or the loop did.
  std::optional<HttpFailure> stop;
  Time started, last_byte, span_begin;
  std::uint64_t span_bytes = 0;  // of the body
  std::optional<Time> deadline;  // the sink's
  Time* next_check_of_all = nullptr;

  void ask_deadline() {
    deadline = sink->deadline();
    if (deadline) *next_check_of_all = std::min(*next_check_of_all, *deadline);
  }
  Time next_check() const {
    Time next = std::min(last_byte + request.limits.idle, span_begin + 2 * request.limits.idle);
    if (request.limits.total) next = std::min(next, started + *request.limits.total);
    if (deadline) next = std::min(next, *deadline);
    return next;
  }
  // The limit that is over at `now`. Begins a new span where one has ended well.
  std::optional<HttpFailure> overdue(Time now) {
    if (request.limits.total && now >= started + *request.limits.total) return HttpFailure::kTotal;
    if (deadline && now >= *deadline) return HttpFailure::kDeadline;
    if (now >= last_byte + request.limits.idle) return HttpFailure::kIdle;
    const auto span = now - span_begin;
    if (span < 2 * request.limits.idle) return std::nullopt;
    if (static_cast<double>(span_bytes) < std::chrono::duration<double>(span).count())
      return HttpFailure::kIdle;
    span_begin = now;
    span_bytes = 0;
    return std::nullopt;
  }
};

// A status line begins a new head: that of a redirect's target, or the final one after a 1xx.
void take_header_line(HttpHead& head, std::string_view line) {
  if (line.starts_with("HTTP/")) return head.headers.clear();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return;
  head.headers.push_back({lower_ascii(line.substr(0, colon)), std::string(strip(line.substr(colon + 1)))});
}

// Where a head ends: does what follows belong to this answer, or to the next of a series?
bool is_final(const Transfer& transfer) {
  long status = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status < 200) return false;
  const bool moves = status / 100 == 3 && transfer.head.header("location").has_value();
  return !moves || transfer.request.redirects == HttpRedirects::kRefuse;
}

bool give_head(Transfer& transfer) {
  if (transfer.head_given) return true;
  long status = 0;
  const char* url = nullptr;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_EFFECTIVE_URL, &url);
  transfer.head.status = static_cast<int>(status);
  transfer.head.url = url != nullptr ? url : "";
  transfer.head_given = true;
  const bool goes_on = transfer.sink->on_head(transfer.head);
  transfer.ask_deadline();
  if (goes_on) return true;
  transfer.stop = HttpFailure::kStopped;
  return false;
}

// libcurl sends a request again by itself where a kept connection ends without an answer. A POST may have
// been worked on, and billed: whether it goes again is the caller's to say.
int on_request(void* user, char*, char*, int, int) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  if (!std::exchange(transfer.is_sent, true)) return CURL_PREREQFUNC_OK;
  transfer.was_lost = true;
  transfer.stop = HttpFailure::kBroken;
  return CURL_PREREQFUNC_ABORT;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  transfer.last_byte = std::chrono::steady_clock::now();
  transfer.head_bytes += bytes;
  if (transfer.head_bytes > transfer.request.limits.head_bytes) {
    transfer.stop = HttpFailure::kTooLarge;
    return 0;
  }
  if (transfer.head_given) return bytes;  // a trailer
  const std::string_view line(data, bytes);
  take_header_line(transfer.head, line);
  const bool ends = line == "\r\n" || line == "\n";
  return !ends || !is_final(transfer) || give_head(transfer) ? bytes : 0;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  transfer.last_byte = std::chrono::steady_clock::now();
  transfer.span_bytes += bytes;
  if (!give_head(transfer)) return 0;
  transfer.body_bytes += bytes;
  if (transfer.body_bytes > transfer.request.limits.body_bytes) {
    transfer.stop = HttpFailure::kTooLarge;
    return 0;
  }
  const bool goes_on = transfer.sink->on_body({data, bytes});
  transfer.ask_deadline();
  if (goes_on) return bytes;
  transfer.stop = HttpFailure::kStopped;
  return 0;
}

// libcurl says the same of a URL that it was given, one that it was sent to, and an answer that is not HTTP.
HttpFailure failure_of_url(CURL* easy) {
  long redirects = 0;
  curl_off_t sent_us = 0;
  curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &redirects);
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
  if (redirects > 0) return HttpFailure::kRedirect;
  return sent_us > 0 ? HttpFailure::kBroken : HttpFailure::kUrl;
}

HttpFailure failure_of(CURL* easy, CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return failure_of_url(easy);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return HttpFailure::kResolve;
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:  // libcurl's own clock is set for connecting only
    case CURLE_PROXY:
      return HttpFailure::kConnect;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return HttpFailure::kCertificate;
    case CURLE_TOO_MANY_REDIRECTS:
      return HttpFailure::kRedirect;
    default:
      return HttpFailure::kBroken;
  }
}

std::string message_of(const Transfer& transfer, HttpFailure failure, CURLcode code) {
  const HttpLimits& limits = transfer.request.limits;
  switch (failure) {
    case HttpFailure::kIdle:
      return fmt::format("the server went silent for {} s",
                         std::chrono::duration<double>(limits.idle).count());
    case HttpFailure::kTotal:
      return fmt::format("not done within {} s", std::chrono::duration<double>(*limits.total).count());
    case HttpFailure::kDeadline:
      return "what was waited for did not come in time";
    case HttpFailure::kTooLarge:
      return transfer.head_bytes > limits.head_bytes
                 ? fmt::format("the head of the answer is larger than {} bytes", limits.head_bytes)
                 : fmt::format("the answer is larger than {} bytes", limits.body_bytes);
    case HttpFailure::kStopped:
    case HttpFailure::kCancelled:
      return std::string(http_failure_name(failure));
    default:
      if (transfer.was_lost) return "the connection ended without an answer";
      return transfer.error[0] != '\0' ? transfer.error : curl_easy_strerror(code);
  }
}

// A line break in a key from a file would make two headers of one.
const HttpHeader* broken_header(const std::vector<HttpHeader>& headers) {
  const auto it = std::find_if(headers.begin(), headers.end(), [](const HttpHeader& header) {
    return (header.name + header.value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos;
  });
  return it == headers.end() ? nullptr : &*it;
}

bool is_secure(const std::string& url) { return lower_ascii(url.substr(0, 8)) == "https://"; }

// libcurl reads all variables but this one, which is not a user's where a web server set it.
const char* upper_case_proxy(const std::string& url) {
  if (is_secure(url)) return nullptr;
  if (std::getenv("http_proxy") != nullptr || std::getenv("REQUEST_METHOD") != nullptr) return nullptr;
  return std::getenv("HTTP_PROXY");
}

void set_limits_and_callbacks(CURL* easy, Transfer& transfer, const HttpOptions& options) {
  const HttpRequest& request = transfer.request;
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.limits.connect.count()));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // One connection for all where the server speaks HTTP/2; over plain HTTP it would be waiting for nothing.
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, is_secure(request.url) ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  if (const char* proxy = upper_case_proxy(request.url)) curl_easy_setopt(easy, CURLOPT_PROXY, proxy);
}

void set_request(CURL* easy, Transfer& transfer, const HttpOptions& options) {
  const HttpRequest& request = transfer.request;
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    if (request.method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (request.redirects == HttpRedirects::kRefuse) {
      curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
      curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
    }
    // Else a long body waits a second for a "100 Continue" that many servers do not send.
    transfer.headers.reset(curl_slist_append(transfer.headers.release(), "Expect:"));
  }
  for (const HttpHeader& header : request.headers) {
    const std::string line = fmt::format("{}: {}", header.name, header.value);
    transfer.headers.reset(curl_slist_append(transfer.headers.release(), line.c_str()));
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
  if (request.compressed) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  if (request.redirects == HttpRedirects::kFollow) {
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kRedirects);
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_secure(request.url) ? "https" : "http,https");
  }
}

}  // namespace

class HttpClient::Loop {
 public:
  explicit Loop(HttpOptions options) : options_(std::move(options)) {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started == CURLE_OK) multi_ = curl_multi_init();
    if (multi_ == nullptr) fail(ErrorCode::kIo, "libcurl cannot be started: {}", curl_easy_strerror(started));
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kKeptConnections);
    thread_ = std::thread([this] { run(); });
  }
  ~Loop() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    idle_.clear();
    curl_multi_cleanup(multi_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void start(HttpRequest request, HttpSink& sink) {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->sink = &sink;
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_);
  }

  void cancel() {
    {
      const std::lock_guard lock(mutex_);
      cancelling_ = true;
    }
    curl_multi_wakeup(multi_);
  }

 private:
  void run();
  bool take_orders();  // false once the loop is to end
  void begin(std::unique_ptr<Transfer> transfer);
  void collect();
  void check_limits();
  void cut(Transfer& transfer, HttpFailure failure);
  void end(std::unique_ptr<Transfer> transfer, CURLcode code);
  int sleep_ms() const;

  const HttpOptions options_;
  CURLM* multi_ = nullptr;
  std::mutex mutex_;  // of the three below
  std::vector<std::unique_ptr<Transfer>> waiting_;
  bool cancelling_ = false, closing_ = false;
  // Of the loop's thread alone.
  std::map<const Transfer*, std::unique_ptr<Transfer>> running_;
  std::vector<Easy> idle_;
  Time next_check_ = Time::max();
  std::thread thread_;
};

void HttpClient::Loop::run() {
  while (take_orders()) {
    int active = 0;
    curl_multi_perform(multi_, &active);
    collect();
    check_limits();
    bool waiting = false;
    {
      const std::lock_guard lock(mutex_);
      waiting = !waiting_.empty();
    }
    if (!waiting) curl_multi_poll(multi_, nullptr, 0, sleep_ms(), nullptr);
  }
}

bool HttpClient::Loop::take_orders() {
  std::vector<std::unique_ptr<Transfer>> fresh;
  bool cancelling = false, closing = false;
  {
    const std::lock_guard lock(mutex_);
    fresh.swap(waiting_);
    cancelling = std::exchange(cancelling_, false) || closing_;
    closing = closing_;
  }
  if (!cancelling) {
    for (auto& transfer : fresh) begin(std::move(transfer));
    return true;
  }
  while (!running_.empty()) cut(*running_.begin()->second, HttpFailure::kCancelled);
  for (auto& transfer : fresh) {
    transfer->stop = HttpFailure::kCancelled;
    end(std::move(transfer), CURLE_OK);
  }
  if (!closing) return true;
  const std::lock_guard lock(mutex_);
  return !waiting_.empty();  // an on_done may have started one more
}

void HttpClient::Loop::begin(std::unique_ptr<Transfer> transfer) {
  if (idle_.empty()) {
    transfer->easy.reset(curl_easy_init());
  } else {
    transfer->easy = std::move(idle_.back());
    idle_.pop_back();
  }
  transfer->started = transfer->last_byte = transfer->span_begin = std::chrono::steady_clock::now();
  CURL* easy = transfer->easy.get();
  if (easy == nullptr) return end(std::move(transfer), CURLE_OUT_OF_MEMORY);
  if (const HttpHeader* bad = broken_header(transfer->request.headers)) {
    fmt::format_to_n(transfer->error, sizeof transfer->error - 1, "header {} has a line break", bad->name);
    return end(std::move(transfer), CURLE_URL_MALFORMAT);
  }
  set_limits_and_callbacks(easy, *transfer, options_);
  set_request(easy, *transfer, options_);
  transfer->next_check_of_all = &next_check_;
  transfer->ask_deadline();
  next_check_ = std::min(next_check_, transfer->next_check());
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) return end(std::move(transfer), CURLE_FAILED_INIT);
  const Transfer* key = transfer.get();
  running_.emplace(key, std::move(transfer));
}

void HttpClient::Loop::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(multi_, message->easy_handle);
    auto node = running_.extract(transfer);
    end(std::move(node.mapped()), code);
  }
}

// The earliest limit of all moves only when it is reached: one pass over the transfers then finds the next.
void HttpClient::Loop::check_limits() {
  const Time now = std::chrono::steady_clock::now();
  if (now < next_check_) return;
  std::vector<std::pair<Transfer*, HttpFailure>> late;
  for (auto& [key, transfer] : running_) {
    if (const auto failure = transfer->overdue(now)) late.emplace_back(transfer.get(), *failure);
  }
  for (const auto& [transfer, failure] : late) cut(*transfer, failure);
  next_check_ = Time::max();
  for (const auto& [key, transfer] : running_) next_check_ = std::min(next_check_, transfer->next_check());
}

void HttpClient::Loop::cut(Transfer& transfer, HttpFailure failure) {
  transfer.stop = failure;
  curl_multi_remove_handle(multi_, transfer.easy.get());
  auto node = running_.extract(&transfer);
  end(std::move(node.mapped()), CURLE_OK);
}

void HttpClient::Loop::end(std::unique_ptr<Transfer> transfer, CURLcode code) {
  HttpResult result;
  if (transfer->stop) {
    result.failure = transfer->stop;
  } else if (code != CURLE_OK) {
    result.failure = failure_of(transfer->easy.get(), code);
  } else if (!transfer->head_given) {  // libcurl takes half a head for a whole one
    code = CURLE_WEIRD_SERVER_REPLY;
    result.failure = HttpFailure::kBroken;
  }
  if (result.failure) result.message = message_of(*transfer, *result.failure, code);
  if (transfer->easy) {
    curl_easy_reset(transfer->easy.get());
    idle_.push_back(std::move(transfer->easy));
  }
  transfer->sink->on_done(result);
}

int HttpClient::Loop::sleep_ms() const {
  if (next_check_ == Time::max()) return static_cast<int>(kLongestSleep.count());
  const auto wait = std::chrono::ceil<milliseconds>(next_check_ - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp(wait, milliseconds(0), kLongestSleep).count());
}

HttpClient::HttpClient(const HttpOptions& options) : loop_(std::make_unique<Loop>(options)) {}
HttpClient::~HttpClient() = default;
void HttpClient::start(HttpRequest request, HttpSink& sink) { loop_->start(std::move(request), sink); }
void HttpClient::cancel() { loop_->cancel(); }

}  // namespace micius
