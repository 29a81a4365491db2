#include "runners/api_probe.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "net/api_json.h"

namespace micius {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kLargestList = std::uint64_t{8} << 20;
constexpr std::size_t kMostModels = 1000;

std::optional<ApiContext> context_of(const Json& model) {
  if (const int tokens = count_at(model, "max_model_len"); tokens > 0) return ApiContext{tokens, true};
  if (const int tokens = count_at(model, "meta.n_ctx"); tokens > 0) return ApiContext{tokens, false};
  return std::nullopt;
}

HttpRequest models_request(const ApiEndpoint& endpoint) {
  HttpRequest request;
  // Anthropic's addresses end before the version.
  const char* path = endpoint.kind == ApiKind::kAnthropic ? "/v1/models" : "/models";
  request.url = endpoint.url + path + endpoint.query;
  request.headers = endpoint.headers;
  request.limits.connect = request.limits.idle = 10s;
  request.limits.total = 20s;
  request.limits.body_bytes = kLargestList;
  return request;
}

std::string_view next_step(ApiKind kind) {
  switch (kind) {
    case ApiKind::kOpenAi:
      return "see that the server runs and that the address is right (--base-url, OPENAI_BASE_URL, or "
             "openai:NAME@URL)";
    case ApiKind::kAzure:
      return "see that AZURE_OPENAI_ENDPOINT is the resource's address";
    case ApiKind::kAnthropic:
      return "see that the network is there and that ANTHROPIC_BASE_URL is right";
  }
  return "";
}

[[noreturn]] void fail_unreachable(const ApiEndpoint& endpoint, const HttpResult& result) {
  const bool is_certificate = result.failure == HttpFailure::kCertificate;
  fail(ErrorCode::kIo, "{}:{}: {}: {}: {}; {}", api_kind_name(endpoint.kind), endpoint.model,
       shown_url(endpoint.url), http_failure_name(*result.failure), result.message,
       is_certificate ? "a certificate of your own goes into SSL_CERT_FILE" : next_step(endpoint.kind));
}

// False once a stop is requested.
bool wait_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

ApiFindings read_models(std::string_view body, const std::string& model) {
  ApiFindings findings;
  const auto json = parse_body(body);
  const Json* list = json ? find_json(*json, "data") : nullptr;
  if (list == nullptr || !list->is_array()) return findings;
  for (const Json& row : *list) {
    const std::string id = text_at(row, "id");
    if (!id.empty() && findings.models.size() < kMostModels)
      findings.models.push_back(shorten(visible_line(id), 100));
    if (id == model || list->size() == 1) findings.context = context_of(row);
  }
  return findings;
}

ApiFindings find_server(HttpClient& client, const ApiEndpoint& endpoint, const ApiSettings& settings,
                        Log* log) {
  // Patience begins with the first refused connection.
  std::optional<std::chrono::steady_clock::time_point> until;
  while (true) {
    const HttpAnswer answer = fetch(client, models_request(endpoint));
    const auto& failure = answer.result.failure;
    if (!failure && answer.head.status == 200) return read_models(answer.body, endpoint.model);
    if (failure == HttpFailure::kResolve || failure == HttpFailure::kCertificate ||
        failure == HttpFailure::kUrl) {
      fail_unreachable(endpoint, answer.result);
    }
    if (failure != HttpFailure::kConnect) return {};
    const auto now = std::chrono::steady_clock::now();
    if (!until) {
      until = now + settings.patience;
      if (settings.patience > 0ms && log != nullptr) {
        log->warning(fmt::format("{}: {}; it is waited for, up to {} s", shown_url(endpoint.url),
                                 answer.result.message,
                                 std::chrono::ceil<std::chrono::seconds>(settings.patience).count()));
      }
    }
    if (now >= *until) fail_unreachable(endpoint, answer.result);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - now);
    if (!wait_for(std::clamp<std::chrono::milliseconds>(left, 0ms, 1s), settings.stop)) return {};
  }
}

}  // namespace micius
