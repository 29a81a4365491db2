#include "runners/api_endpoint.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "runners/api_link.h"

namespace micius {
namespace {

using Catch::Contains;

const std::string kKey = "sk-planted-0123456789abcdef";

ApiSettings openai(const std::string& url, const std::string& key) {
  ApiSettings settings;
  settings.openai = {url, key};
  return settings;
}

ApiSettings azure(const std::string& url, const std::string& key, const std::string& version = "") {
  ApiSettings settings;
  settings.azure = {url, key};
  settings.api_version = version;
  return settings;
}

ApiSettings anthropic(const std::string& url, const std::string& key) {
  ApiSettings settings;
  settings.anthropic = {url, key};
  return settings;
}

std::string usage_error(ApiKind kind, const std::string& argument, const ApiSettings& settings) {
  try {
    endpoint_of(kind, argument, settings);
  } catch (const Error& failure) {
    CHECK(failure.code() == ErrorCode::kUsage);
    return failure.what();
  }
  return "";
}

std::string header(const ApiEndpoint& endpoint, const std::string& name) {
  for (const HttpHeader& one : endpoint.headers)
    if (one.name == name) return one.value;
  return "";
}

}  // namespace

TEST_CASE("addresses and keys that cannot be right are refused before anything is sent") {
  const auto error = [](const std::string& argument, const ApiSettings& settings) {
    return usage_error(ApiKind::kOpenAi, argument, settings);
  };
  CHECK_THAT(error("m", openai("", "")), Contains("OPENAI_API_KEY"));
  CHECK(error("m", openai("", kKey)).empty());
  CHECK(error("m", openai("http://127.0.0.1:8000/v1/", kKey)).empty());
  CHECK(error("m", openai("http://[::1]:8000/v1", kKey)).empty());
  CHECK(error("m", openai("http://[::1]", kKey)).empty());
  CHECK(error("m", openai("http://localhost/v1", kKey)).empty());
  CHECK_THAT(error("m", openai("http://localhost.evil.example/v1", kKey)), Contains("plain http"));
  CHECK_THAT(error("m", openai("http://[::1].evil.example/v1", kKey)), Contains("an address has"));
  CHECK(error("m", openai("http://models.example/v1", "")).empty());
  CHECK_THAT(error("m", openai("http://models.example/v1", kKey)), Contains("plain http"));
  CHECK_THAT(error("m", openai("http://127.0.0.1.models.example/v1", kKey)), Contains("plain http"));
  CHECK_THAT(error("m", openai("https://me:" + kKey + "@models.example/v1", "")),
             Contains("OPENAI_API_KEY") && !Contains("planted"));
  CHECK_THAT(error("m", openai("https://models.example/v1?key=" + kKey, "")), !Contains("planted"));
  CHECK_THAT(error("m", openai("ftp://models.example/v1", "")), Contains("https://host/v1"));
  CHECK_THAT(error("m", openai("models.example", "")), Contains("https://host/v1"));
  CHECK_THAT(error("", openai("https://models.example/v1", kKey)), Contains("openai:NAME"));
}

TEST_CASE("what resume is given finds the same server again") {
  const auto source = [](ApiKind kind, const std::string& argument, const ApiSettings& settings) {
    const std::string found = api_source(kind, argument, settings);
    CHECK(api_source(kind, found, settings) == found);
    return found;
  };
  CHECK(source(ApiKind::kOpenAi, "m@https://a.example/v1", openai("https://b.example/v1", "")) ==
        "m@https://a.example/v1");
  CHECK(source(ApiKind::kOpenAi, "m", openai("https://b.example/v1/", "")) == "m@https://b.example/v1");
  CHECK(source(ApiKind::kOpenAi, "org/m", openai("", kKey)) == "org/m");
  CHECK(source(ApiKind::kAzure, "d", azure("https://r.example/", kKey)) == "d@https://r.example");
  CHECK(source(ApiKind::kAzure, "d", azure("https://r.example", kKey, "2024-10-21")) ==
        "d@https://r.example?api-version=2024-10-21");
  CHECK(source(ApiKind::kAnthropic, "m", anthropic("", kKey)) == "m");
  CHECK(source(ApiKind::kAnthropic, "m", anthropic("https://p.example/v1", kKey)) == "m@https://p.example");
}

TEST_CASE("the address that the settings give is known without a model") {
  CHECK(account_url(ApiKind::kOpenAi, openai("", kKey)) == "https://api.openai.com/v1");
  CHECK(account_url(ApiKind::kOpenAi, openai("http://127.0.0.1:8000/v1/", "")) == "http://127.0.0.1:8000/v1");
  CHECK(account_url(ApiKind::kAzure, azure("", kKey)).empty());
  CHECK(account_url(ApiKind::kAnthropic, anthropic("https://one.example/v1/", kKey)) ==
        "https://one.example");
  const ApiEndpoint endpoint = endpoint_of(ApiKind::kAzure, "m@https://two.example/", azure("", kKey));
  CHECK(endpoint.account_url == "https://two.example");
  CHECK(endpoint.url == "https://two.example/openai/v1");
}

TEST_CASE("Azure has two addresses and two ways in") {
  const ApiEndpoint newer = endpoint_of(ApiKind::kAzure, "gpt-4o", azure("https://r.example/", kKey));
  CHECK(newer.url == "https://r.example/openai/v1");
  CHECK(newer.query.empty());
  CHECK(header(newer, "api-key") == kKey);
  CHECK(header(newer, "Authorization").empty());
  const ApiEndpoint classic =
      endpoint_of(ApiKind::kAzure, "gpt-4o", azure("https://r.example", kKey, "2024-10-21"));
  CHECK(classic.url == "https://r.example/openai/deployments/gpt-4o");
  CHECK(classic.query == "?api-version=2024-10-21");
  ApiSettings entra = azure("https://r.example", "");
  entra.azure_token = kKey;
  CHECK(header(endpoint_of(ApiKind::kAzure, "d", entra), "Authorization") == "Bearer " + kKey);
  CHECK(endpoint_of(ApiKind::kAzure, "d", entra).secret == kKey);
  CHECK_THAT(usage_error(ApiKind::kAzure, "d", azure("", kKey)), Contains("AZURE_OPENAI_ENDPOINT"));
  CHECK_THAT(usage_error(ApiKind::kAzure, "d", azure("https://r.example", "")),
             Contains("AZURE_OPENAI_API_KEY") && Contains("AZURE_OPENAI_AD_TOKEN"));
  CHECK_THAT(usage_error(ApiKind::kAzure, "a/b?c", azure("https://r.example", kKey)), Contains("deployment"));
  CHECK_THAT(usage_error(ApiKind::kAzure, "d", azure("https://r.example", kKey, "x&key=y")),
             Contains("2024-10-21"));
  CHECK_THAT(usage_error(ApiKind::kAzure, "d", azure("http://r.example", kKey)), Contains("plain http"));
}

TEST_CASE("Anthropic wants a dated version and its own header") {
  const ApiEndpoint endpoint = endpoint_of(ApiKind::kAnthropic, "claude", anthropic("", kKey));
  CHECK(endpoint.url == "https://api.anthropic.com");
  CHECK(header(endpoint, "x-api-key") == kKey);
  CHECK(header(endpoint, "anthropic-version") == "2023-06-01");
  CHECK_THAT(usage_error(ApiKind::kAnthropic, "claude", anthropic("", "")), Contains("ANTHROPIC_API_KEY"));
  CHECK(usage_error(ApiKind::kAnthropic, "claude", anthropic("http://127.0.0.1:8080", "")).empty());
}

TEST_CASE("what a provider does not take is known beforehand") {
  const auto fields = [](ApiKind kind, const std::string& model, const ApiSettings& settings) {
    return fields_for(endpoint_of(kind, model, settings));
  };
  CHECK(fields(ApiKind::kAzure, "d", azure("https://r.example", kKey)).max_tokens == "max_completion_tokens");
  CHECK(fields(ApiKind::kAzure, "d", azure("https://r.example", kKey, "2024-10-21")).max_tokens ==
        "max_tokens");
  CHECK_FALSE(fields(ApiKind::kAzure, "o3-mini", azure("https://r.example", kKey)).temperature);
  CHECK_FALSE(fields(ApiKind::kAnthropic, "claude", anthropic("", kKey)).seed);
  CHECK(fields(ApiKind::kOpenAi, "m", openai("https://r.example/v1", "")) == ApiFields{});
}

}  // namespace micius
