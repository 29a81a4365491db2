#include "base/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "base/files.h"

namespace micius {

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (!state_->context || EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1) {
    fail(ErrorCode::kIo, "SHA-256 is not available in this OpenSSL");
  }
}
Sha256::~Sha256() = default;

Sha256& Sha256::update(std::string_view bytes) {
  EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size());
  return *this;
}

std::array<unsigned char, 32> Sha256::digest() {
  std::array<unsigned char, 32> out{};
  EVP_DigestFinal_ex(state_->context.get(), out.data(), nullptr);
  return out;
}

std::string Sha256::hex() {
  std::string out;
  for (const unsigned char byte : digest()) out += fmt::format("{:02x}", byte);
  return out;
}

std::string sha256_hex(std::string_view bytes) { return Sha256().update(bytes).hex(); }

std::string sha256_file(const std::filesystem::path& path) { return sha256_hex(MappedFile(path).text()); }

}  // namespace micius
