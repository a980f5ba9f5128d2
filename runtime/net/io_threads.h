#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/net/timeout_wheel.h"

namespace boost::asio {
class io_context;
}

namespace troupe::net {

/// One thread that waits for sockets, and runs what is posted to it in between.
///
/// Outlives its threads' end: work posted afterwards is dropped, so whoever shares one may post
/// whenever it likes.
class IoThread {
 public:
  virtual ~IoThread() = default;

  /// From any thread; runs later on this one, in the order posted. Dropped once stopped.
  virtual void post(Work work) = 0;

  /// Runs `work` on this thread and returns when it is done: at once when called on this thread.
  /// False, and not run, once stopped.
  virtual bool run(Work work) = 0;

  /// Whether the caller is on this thread.
  virtual bool is_current() const = 0;

  /// The rest only on this thread.
  virtual boost::asio::io_context& context() = 0;
  virtual TimeoutWheel& wheel() = 0;
  /// `Sun, 06 Nov 1994 08:49:37 GMT`, at most a tick old.
  virtual std::string_view date() = 0;
};

/// The threads that do all socket work of a node: HTTP in and out, gossip's datagrams. One per
/// core.
///
/// Made before, and stopped after, everything that uses them.
class IoThreads {
 public:
  struct Options {
    std::size_t threads = 0;                        // 0: one per core
    Duration tick = std::chrono::milliseconds(50);  // resolution of time-outs
  };

  IoThreads(Clock& clock, Options options);
  explicit IoThreads(Clock& clock) : IoThreads(clock, Options{}) {}
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  std::size_t size() const;
  std::shared_ptr<IoThread> thread(std::size_t i) const;

  /// The caller's own, if it is one of these; else each in turn. Thread-safe.
  std::shared_ptr<IoThread> pick();

  /// Joins the threads; what they still hold is dropped. Not from one of them. Idempotent.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::net
