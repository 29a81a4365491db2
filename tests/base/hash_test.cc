#include "base/hash.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "temp_dir.h"

namespace micius {

TEST_CASE("SHA-256 of FIPS 180-2's examples") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a hash does not depend on how the bytes come") {
  const std::string text(1000, 'x');
  const TempDir folder;
  write_file_atomic(folder.path() / "text", text);
  Sha256 parts;
  for (std::size_t i = 0; i < text.size(); i += 7) parts.update(std::string_view(text).substr(i, 7));
  CHECK(parts.hex() == sha256_hex(text));
  CHECK(sha256_file(folder.path() / "text") == sha256_hex(text));
  CHECK(Sha256().update(text).digest()[0] == std::stoul(sha256_hex(text).substr(0, 2), nullptr, 16));
  CHECK_THROWS_AS(sha256_file(folder.path() / "none"), Error);
}

}  // namespace micius
