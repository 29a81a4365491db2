// An embedder whose memory runs out while it hands out vectors.
#include <chrono>
#include <cstdlib>
#include <future>
#include <new>
#include <thread>

#include <catch2/catch.hpp>

#include "embed/engine_embedder.h"
#include "engine/tiny_encoder.h"

namespace {

// Allocations of this thread until one fails; negative: none does.
thread_local long allocations_left = -1;

}  // namespace

void* operator new(std::size_t size) {
  if (allocations_left == 0) {
    allocations_left = -1;
    throw std::bad_alloc();
  }
  if (allocations_left > 0) --allocations_left;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// Without this one a sanitizer keeps its own, whose memory the operators below would free.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace micius {

TEST_CASE("Whoever waits for vectors is woken where they cannot be handed out") {
  const TinyEncoder tiny;
  const auto embedder = std::make_shared<EngineEmbedder>(tiny.folder(), EncoderOptions{});
  const std::vector<std::string> texts = {"a a", "b b"};
  constexpr long kMany = 1'000'000;
  CHECK(embedder->embed({&texts[0], 1}).size() == 32);
  allocations_left = kMany;
  const auto vector = embedder->embed({&texts[1], 1});
  const long needed = kMany - allocations_left;
  allocations_left = -1;
  CHECK(vector.size() == 32);

  int thrown = 0;
  for (long fails = std::max(0L, needed - 16); fails < needed; ++fails) {
    const std::string text =
        std::string(1, static_cast<char>('c' + fails % 20)) + " " + std::to_string(fails % 10);
    allocations_left = fails;
    try {
      (void)embedder->embed({&text, 1});
    } catch (const std::bad_alloc&) {
      ++thrown;
    }
    allocations_left = -1;
    const auto done = std::make_shared<std::promise<std::size_t>>();
    std::future<std::size_t> size = done->get_future();
    std::thread([done, embedder] {
      const std::string other = "z";
      done->set_value(embedder->embed({&other, 1}).size());
    }).detach();
    REQUIRE(size.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    CHECK(size.get() == 32);
  }
  CHECK(thrown > 0);
}

}  // namespace micius
