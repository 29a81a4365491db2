// A server of OpenAI's kind that a test asks through the program, and the folder that the program leaves
// behind.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "cli/program.h"
#include "net/fault_server.h"
#include "temp_dir.h"

namespace micius {

inline const std::string kKey = "sk-planted-0123456789abcdef";

// A whole answer of the chat API: 11 tokens of prompt, 2 written.
inline std::string chat(const std::string& text) {
  return Json{
      {"model", "tiny"},
      {"choices", {{{"finish_reason", "stop"}, {"message", {{"role", "assistant"}, {"content", text}}}}}},
      {"usage", {{"prompt_tokens", 11}, {"completion_tokens", 2}}}}
      .dump();
}

// For `--prices prices.json`: openai:tiny at `url` costs a dollar a million tokens of the prompt, two of the
// answer.
inline void write_prices(const std::filesystem::path& folder, const std::string& url) {
  std::ofstream(folder / "prices.json")
      << R"({"micius_prices": 1, "prices": [{"provider": "openai", "url": ")" << url
      << R"(", "model": "tiny", "from": "2024-01-01", "input": "1.00", "output": "2.00"}]})";
}

struct RemoteSession {
  explicit RemoteSession(const FaultServer& server) : url(server.url("/v1")), root(server.url("")) {}
  Outcome run(std::vector<std::string> arguments) const {
    return run_micius(
        folder.path(),
        {"HOME=" + folder.path().string(), "OPENAI_API_KEY=" + kKey, "AZURE_OPENAI_API_KEY=" + kKey,
         "AZURE_OPENAI_ENDPOINT=" + root, "ANTHROPIC_API_KEY=" + kKey, "ANTHROPIC_BASE_URL=" + root,
         "no_proxy=127.0.0.1", "MICIUS_DB=micius.db"},
        arguments);
  }
  // In every file that the program left, its output among them.
  bool has_key_anywhere() const {
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder.path())) {
      if (file.is_regular_file() && read_file(file.path()).find("planted") != std::string::npos) return true;
    }
    return false;
  }

  TempDir folder;
  std::string url, root;
};

}  // namespace micius
