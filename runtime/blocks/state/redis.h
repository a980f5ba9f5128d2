#pragma once

#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/blocks/state/component.h"
#include "runtime/clients/redis/redis_client.h"
#include "runtime/components/properties.h"

namespace troupe::blocks::state {

/// What Dapr's metadata of redis components says. kUnimplemented for what is not there: TLS,
/// clusters, sentinels.
Result<clients::RedisOptions> redis_options(components::Properties& properties);

/// state.redis, in Dapr's layout: a hash for each key, its fields `data` and `version`, and
/// `first-write` where that was asked for.
///
/// One script checks etags and then writes, so that a transaction is all or nothing, too; with
/// Dapr, what comes before a failed operation stays.
class RedisStore final : public Component {
 public:
  /// Waits until the server answers, at most `init_timeout`. `clock` outlives it.
  static Result<std::unique_ptr<Component>> open(components::Properties& properties, Clock& clock,
                                                 Duration init_timeout);

  Features features() const override;
  void read(std::vector<Read> reads, Time deadline, Done<std::vector<Found>> done) override;
  void write(std::vector<Change> changes, Time deadline,
             Done<std::vector<Result<void>>> done) override;
  void transact(std::vector<Change> changes, Time deadline, Done<void> done) override;
  void stop() override { client_.stop(); }

 private:
  RedisStore(Clock& clock, clients::RedisOptions options, std::optional<std::int64_t> ttl)
      : client_(clock, std::move(options)), ttl_seconds_(ttl) {}

  Result<void> append(const Change& change, std::vector<std::string>& keys,
                      clients::RedisCommand& arguments) const;
  /// Reads what is no hash: set by somebody else.
  void read_plain(std::vector<Read> reads, std::vector<Found> found, std::vector<std::size_t> which,
                  Time deadline, Done<std::vector<Found>> done);

  clients::RedisClient client_;
  std::optional<std::int64_t> ttl_seconds_;
};

}  // namespace troupe::blocks::state
