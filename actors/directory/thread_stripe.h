#pragma once

#include <atomic>
#include <cstddef>

namespace troupe::actors {

/// A small number that few threads share: for data kept in several parts.
inline std::size_t thread_stripe() {
  static std::atomic<std::size_t> threads = 0;
  thread_local const std::size_t stripe = threads.fetch_add(1, std::memory_order_relaxed);
  return stripe;
}

}  // namespace troupe::actors
