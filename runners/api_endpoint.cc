#include "runners/api_endpoint.h"

#include <array>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr const char* kOpenAi = "https://api.openai.com/v1";
constexpr const char* kAnthropic = "https://api.anthropic.com";
constexpr const char* kAnthropicVersion = "2023-06-01";
constexpr std::string_view kVersionMark = "?api-version=";
constexpr std::array<std::string_view, 3> kNames = {"openai", "azure", "anthropic"};

struct Target {
  std::string model, url;
};

void drop_end(std::string& text, std::string_view end) {
  if (text.ends_with(end)) text.resize(text.size() - end.size());
}

std::string tidy_url(ApiKind kind, std::string url) {
  while (url.ends_with('/')) url.pop_back();
  if (kind == ApiKind::kAnthropic) drop_end(url, "/v1");
  return url;
}

Target target_of(ApiKind kind, const std::string& argument, const ApiSettings& settings) {
  const std::size_t at = argument.find("@http");
  Target target{argument.substr(0, at), at == std::string::npos ? account_url(kind, settings)
                                                                : tidy_url(kind, argument.substr(at + 1))};
  if (target.model.empty()) {
    fail(ErrorCode::kUsage, "'{0}:{1}': expected {0}:NAME or {0}:NAME@https://..", api_kind_name(kind),
         argument);
  }
  return target;
}

void check(const ApiEndpoint& endpoint) {
  const std::string shown = shown_url(endpoint.url);
  const std::string scheme = lower_ascii(endpoint.url.substr(0, endpoint.url.find("://") + 3));
  if (scheme != "https://" && scheme != "http://")
    fail(ErrorCode::kUsage, "'{}' is no address of an API; expected https://host/v1", shown);
  if (shown != endpoint.url && shown != endpoint.url + "/") {
    fail(ErrorCode::kUsage, "{}: an address has neither password nor query; the key goes into {}", shown,
         endpoint.key_name);
  }
  if (scheme == "http://" && !endpoint.secret.empty() && !is_on_this_machine(endpoint.url)) {
    fail(ErrorCode::kUsage,
         "{}: a key is not sent over plain http to another machine; use https, or unset {}", shown,
         endpoint.key_name);
  }
}

void want_key(const ApiEndpoint& endpoint, std::string_view or_else) {
  if (endpoint.secret.empty())
    fail(ErrorCode::kUsage, "{0} wants a key: set {1}, or {1}_FILE to the name of a file with it{2}",
         endpoint.url, endpoint.key_name, or_else);
}

ApiEndpoint openai_endpoint(const std::string& argument, const ApiSettings& settings) {
  const Target target = target_of(ApiKind::kOpenAi, argument, settings);
  ApiEndpoint endpoint{
      .kind = ApiKind::kOpenAi, .model = target.model, .url = target.url, .account_url = target.url};
  endpoint.secret = settings.openai.key;
  endpoint.key_name = "OPENAI_API_KEY";
  if (!endpoint.secret.empty()) endpoint.headers.push_back({"Authorization", "Bearer " + endpoint.secret});
  check(endpoint);
  if (endpoint.url == kOpenAi) want_key(endpoint, ", or name another server with --base-url");
  endpoint.source = endpoint.url == kOpenAi ? target.model : target.model + "@" + target.url;
  return endpoint;
}

ApiEndpoint azure_endpoint(const std::string& argument, const ApiSettings& settings) {
  Target target = target_of(ApiKind::kAzure, argument, settings);
  std::string version = settings.api_version;
  if (const std::size_t mark = target.url.find(kVersionMark); mark != std::string::npos) {
    if (version.empty()) version = target.url.substr(mark + kVersionMark.size());
    target.url.resize(mark);
  }
  if (target.url.empty()) {
    fail(ErrorCode::kUsage,
         "azure:{} has no address: set AZURE_OPENAI_ENDPOINT (https://RESOURCE.openai.azure.com), or say "
         "azure:DEPLOYMENT@https://..",
         target.model);
  }
  if (version.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
    fail(ErrorCode::kUsage, "--api-version '{}': expected one such as 2024-10-21", version);
  static constexpr std::string_view kNameBytes =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  if (target.model.find_first_not_of(kNameBytes) != std::string::npos)
    fail(ErrorCode::kUsage, "'azure:{}': a deployment's name has letters, digits, - _ . alone", target.model);
  ApiEndpoint endpoint{
      .kind = ApiKind::kAzure, .model = target.model, .url = target.url, .account_url = target.url};
  endpoint.key_name = "AZURE_OPENAI_API_KEY";
  endpoint.secret = settings.azure.key.empty() ? settings.azure_token : settings.azure.key;
  if (!settings.azure.key.empty()) {
    endpoint.headers.push_back({"api-key", endpoint.secret});
  } else if (!endpoint.secret.empty()) {
    endpoint.headers.push_back({"Authorization", "Bearer " + endpoint.secret});
  }
  check(endpoint);
  want_key(endpoint, ", or AZURE_OPENAI_AD_TOKEN");
  endpoint.source = target.model + "@" + target.url;
  if (version.empty()) {
    endpoint.url += "/openai/v1";
  } else {
    endpoint.url += "/openai/deployments/" + target.model;
    endpoint.query = std::string(kVersionMark) + version;
    endpoint.source += endpoint.query;
  }
  return endpoint;
}

ApiEndpoint anthropic_endpoint(const std::string& argument, const ApiSettings& settings) {
  const Target target = target_of(ApiKind::kAnthropic, argument, settings);
  ApiEndpoint endpoint{
      .kind = ApiKind::kAnthropic, .model = target.model, .url = target.url, .account_url = target.url};
  endpoint.key_name = "ANTHROPIC_API_KEY";
  endpoint.secret = settings.anthropic.key;
  if (!endpoint.secret.empty()) endpoint.headers.push_back({"x-api-key", endpoint.secret});
  endpoint.headers.push_back({"anthropic-version", kAnthropicVersion});
  check(endpoint);
  if (endpoint.url == kAnthropic) want_key(endpoint, "");
  endpoint.source = endpoint.url == kAnthropic ? target.model : target.model + "@" + target.url;
  return endpoint;
}

}  // namespace

bool is_on_this_machine(std::string_view url) {
  const std::size_t begin = url.find("://");
  if (begin == std::string_view::npos) return false;
  const std::string_view host = url.substr(begin + 3);
  for (const std::string_view name : {"127.0.0.1", "localhost", "[::1]"}) {
    if (!host.starts_with(name)) continue;
    const std::string_view rest = host.substr(name.size());
    if (rest.empty() || rest.front() == ':' || rest.front() == '/') return true;
  }
  return false;
}

std::string_view api_kind_name(ApiKind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

std::optional<ApiKind> api_kind_from(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<ApiKind>(i);
  }
  return std::nullopt;
}

std::string account_url(ApiKind kind, const ApiSettings& settings) {
  switch (kind) {
    case ApiKind::kOpenAi:
      return settings.openai.url.empty() ? kOpenAi : tidy_url(kind, settings.openai.url);
    case ApiKind::kAzure:
      return tidy_url(kind, settings.azure.url);
    case ApiKind::kAnthropic:
      return settings.anthropic.url.empty() ? kAnthropic : tidy_url(kind, settings.anthropic.url);
  }
  return "";
}

ApiEndpoint endpoint_of(ApiKind kind, const std::string& argument, const ApiSettings& settings) {
  switch (kind) {
    case ApiKind::kOpenAi:
      return openai_endpoint(argument, settings);
    case ApiKind::kAzure:
      return azure_endpoint(argument, settings);
    case ApiKind::kAnthropic:
      return anthropic_endpoint(argument, settings);
  }
  return {};
}

std::string api_source(ApiKind kind, const std::string& argument, const ApiSettings& settings) {
  return endpoint_of(kind, argument, settings).source;
}

}  // namespace micius
