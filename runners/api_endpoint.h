// From a model's name and the settings to an address and the headers that open it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"
#include "runners/api_runner.h"

namespace micius {

struct ApiEndpoint {
  ApiKind kind = ApiKind::kOpenAi;
  std::string model = {};
  std::string url = {};                  // without a slash at its end; paths of the API go behind it
  std::string account_url = {};          // as the user gives it: of Azure without /openai/..
  std::string query = {};                // "?api-version=.." or "", behind every path
  std::vector<HttpHeader> headers = {};  // those that are secret among them
  std::string secret = {};               // the key; "" without one
  std::string key_name = {};             // of the environment: "OPENAI_API_KEY"
  std::string source = {};               // as api_source() gives it
};

// Is the host 127.0.0.1, localhost or ::1?
bool is_on_this_machine(std::string_view url);

// Throws as make_api_runner() does.
ApiEndpoint endpoint_of(ApiKind kind, const std::string& argument, const ApiSettings& settings);

// The address that a model of this kind has where it names none, as ApiEndpoint::account_url; "" where the
// settings give none and the provider has none that is everybody's.
std::string account_url(ApiKind kind, const ApiSettings& settings);

}  // namespace micius
