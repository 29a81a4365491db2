#include "engine/kv_cache.h"

#include <cstring>

#include <catch2/catch.hpp>

#include "base/error.h"

namespace micius {
namespace {

KvLayout small_layout() { return {{4, 2, 2, 8, 8, 1.0F}, DType::kF32}; }

TEST_CASE("A fork shares full blocks and copies the last one", "[kv]") {
  KvPool pool(small_layout(), 3, 100 << 20);
  KvSequence a(pool);
  a.extend(130);
  REQUIRE(a.pages(2).size() == 3);
  CHECK(pool.used() == 3);
  std::memset(a.pages(2)[2], 7, 16);

  KvSequence b = a.fork(130);
  CHECK(b.length() == 130);
  CHECK(pool.used() == 4);
  CHECK(b.pages(1)[1] == a.pages(1)[1]);
  CHECK(b.pages(1)[2] != a.pages(1)[2]);
  CHECK(b.pages(2)[2][15] == std::byte{7});

  const KvSequence shorter = a.fork(64);
  CHECK(shorter.pages(0).size() == 1);
  CHECK(pool.used() == 4);
  b = KvSequence(pool);
  CHECK(pool.used() == 3);
}

TEST_CASE("Blocks outlive the sequence that made them and come back zeroed", "[kv]") {
  KvPool pool(small_layout(), 1, 100 << 20);
  KvSequence child(pool);
  {
    KvSequence parent(pool);
    parent.extend(64);
    std::memset(parent.pages(0)[0], 1, 64);
    child = parent.fork(64);
  }
  CHECK(pool.used() == 1);
  CHECK(child.pages(0)[0][0] == std::byte{1});
  std::byte* page = child.pages(0)[0];
  child = KvSequence(pool);
  CHECK(pool.used() == 0);
  child.extend(1);
  CHECK(child.pages(0)[0] == page);
  CHECK(page[0] == std::byte{0});
}

TEST_CASE("A full pool is an error that names the flag", "[kv]") {
  const std::size_t block = KvPool(small_layout(), 2, 0).block_bytes();
  KvPool pool(small_layout(), 2, 2 * block);
  CHECK(pool.capacity() == 2);
  KvSequence a(pool);
  a.extend(128);
  CHECK_THROWS_WITH(a.extend(1), Catch::Contains("--kv-memory"));
  CHECK(a.length() == 128);
}

}  // namespace
}  // namespace micius
