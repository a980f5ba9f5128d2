#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/guarded.h"
#include <troupe/client.h>
#include <troupe/result.h>
#include <troupe/time.h>

/// Threads that share out numbered pieces of work.
class Crew {
 public:
  /// One call of a piece of work; may be made again after an error that may pass.
  using Piece = std::function<troupe::Result<void>(const troupe::Client& client, std::size_t i)>;

  /// Each thread uses one of `clients`, in turn.
  Crew(std::vector<troupe::Client> clients, std::size_t threads)
      : clients_(std::move(clients)), threads_(threads) {}
  /// Gives up what has not begun, and waits for the rest.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Begins `piece(client, i)` for each `i` below `count`. Requires that it is not at work.
  void begin(std::size_t count, Piece piece);
  /// Waits up to `patience`; true when all is done, or one has failed for good.
  bool wait(troupe::Duration patience);
  /// The first failure. Requires that it has ended.
  troupe::Result<void> end();

  /// Pieces done.
  std::size_t done() const { return done_; }
  /// Calls made again because of errors that pass: moves, overload, a node gone.
  std::size_t repeats() const { return repeats_; }
  /// Why the last of them was.
  std::string reason() const {
    return reason_.with([](const std::string& reason) { return reason; });
  }

 private:
  troupe::Result<void> work(std::size_t thread);

  std::vector<troupe::Client> clients_;
  std::size_t threads_;
  std::size_t count_ = 0;
  Piece piece_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> done_ = 0;
  std::atomic<std::size_t> repeats_ = 0;
  troupe::Guarded<std::string> reason_;
  std::vector<std::future<troupe::Result<void>>> workers_;
};

/// Makes a call that may be repeated until it works, or fails with an error that does not pass, or
/// `patience` is over.
troupe::Result<void> persist(const std::function<troupe::Result<void>()>& call,
                             troupe::Duration patience,
                             const std::function<void(const troupe::Error&)>& repeating);
