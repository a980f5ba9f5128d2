#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace troupe::testing {

/// A redis-server of its own, in a temporary directory, on a free port.
class RedisServer {
 public:
  /// Why there can be none here; empty: there can.
  static std::string missing();

  /// Requires that it is not missing(). Returns when it answers.
  explicit RedisServer(std::string password = {});

  std::uint16_t port() const { return port_; }
  Process& process() { return process_; }
  /// Again, on the same port, with nothing in it.
  void start();

 private:
  TemporaryDirectory directory_;
  std::uint16_t port_;
  std::string password_;
  Process process_;
};

/// A PostgreSQL server of its own, in a temporary directory, on a free port. Where tests run as
/// root, as whom it does not start, it runs as `nobody`.
class PostgresqlServer {
 public:
  static std::string missing();

  PostgresqlServer();
  ~PostgresqlServer();

  std::uint16_t port() const { return port_; }
  Process& process() { return process_; }
  void start();
  /// For libpq.
  std::string connection_string() const;

 private:
  TemporaryDirectory directory_;
  std::uint16_t port_;
  std::size_t starts_ = 0;
  Process process_;
};

/// Whether something listens on this port of the loopback, within `patience`.
bool listens(std::uint16_t port, Duration patience);

}  // namespace troupe::testing
