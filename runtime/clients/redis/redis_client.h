#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include <troupe/function.h>
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::clients {

struct RedisOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string username = {};  // empty: the default user
  std::string password = {};  // empty: nobody asks
  std::int64_t database = 0;
  Duration connect_timeout = std::chrono::seconds(5);
  /// Pause before another attempt to connect, doubled after each failure. Longer spares a server
  /// that is down; calls wait for the next attempt.
  Duration pause_min = std::chrono::milliseconds(50);
  Duration pause_max = std::chrono::seconds(2);
  std::size_t queue_max = 100'000;  // commands that wait or are under way; beyond: kExhausted
  std::size_t attempts_max = 4;     // of what may be repeated
};

struct RedisReply {
  enum class Kind : std::uint8_t { kNothing, kText, kInteger, kList, kError };
  Kind kind = Kind::kNothing;
  std::string text = {};  // of a text, or an error
  std::int64_t integer = 0;
  std::vector<RedisReply> items = {};
};

using RedisCommand = std::vector<std::string>;

/// Asks one Redis server, over one connection that is made anew when it breaks.
///
/// A thread of its own writes what has gathered, and reads what comes; commands of all callers
/// share the connection one after another (pipelining). Thread-safe.
class RedisClient {
 public:
  /// Begins to connect. `clock` outlives it.
  RedisClient(Clock& clock, RedisOptions options);
  /// As stop().
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  /// Sends `commands` and gives their replies, in order; an error of the server is a reply.
  /// `repeatable`: sent again if the connection broke before all replies had come. `done` on the
  /// client's thread, or inside the call. Errors: kUnavailable (nothing was sent), kExhausted,
  /// kTimeout (`deadline` passed, nothing was sent, or nothing was to be changed), kUnknownOutcome.
  void send(std::vector<RedisCommand> commands, bool repeatable, Time deadline,
            Done<std::vector<RedisReply>> done);

  /// Fails what waits and what is under way. Not from its own thread. Idempotent.
  void stop();

 private:
  class Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace troupe::clients
