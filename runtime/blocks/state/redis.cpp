#include "runtime/blocks/state/redis.h"

#include <algorithm>
#include <charconv>
#include <future>
#include <utility>

#include "runtime/blocks/state/merged.h"

namespace troupe::blocks::state {
namespace {

using clients::RedisCommand;
using clients::RedisReply;

// KEYS: of the changes, in order, none twice. ARGV: `all` or `each`, and five for each change: `s`
// or `d`; the etag, `` for none, `0` for a first write; the value; `0` if the key is to refuse
// writes without an etag from now on; seconds to live, `` for as before, 0 or less for ever.
// The reply: a list with 1 for what was written, 0 for what another version kept from it.
constexpr std::string_view kScript = R"lua(
local function version(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' then return redis.call('HGET', key, 'version') end
  return false
end
local function fits(i)
  local etag, now = ARGV[(i - 1) * 5 + 3], version(KEYS[i])
  if etag == '' then
    if ARGV[(i - 1) * 5 + 2] == 'd' or not now then return true end
    return redis.call('HEXISTS', KEYS[i], 'first-write') == 0
  end
  if etag == '0' then return not now end
  return now == etag
end
local outcomes, all = {}, true
for i = 1, #KEYS do
  outcomes[i] = fits(i) and 1 or 0
  if outcomes[i] == 0 then all = false end
end
if ARGV[1] == 'all' and not all then return outcomes end
for i = 1, #KEYS do
  if outcomes[i] == 1 then
    local at, key = (i - 1) * 5, KEYS[i]
    if ARGV[at + 2] == 'd' then
      redis.call('DEL', key)
    else
      if redis.call('TYPE', key).ok ~= 'hash' then redis.call('DEL', key) end
      redis.call('HSET', key, 'data', ARGV[at + 4])
      if ARGV[at + 5] == '0' then redis.call('HSET', key, 'first-write', 0) end
      redis.call('HINCRBY', key, 'version', 1)
      local ttl = ARGV[at + 6]
      if ttl ~= '' then
        if tonumber(ttl) > 0 then redis.call('EXPIRE', key, ttl) else redis.call('PERSIST', key) end
      end
    end
  end
end
return outcomes
)lua";

constexpr std::size_t kChangesOfAScript = 100;  // it holds up everybody else while it runs
constexpr std::size_t kTransactionMax = 5'000;

bool number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// `host:port`, `host`, `[::1]:port`.
Result<void> take_host(std::string text, clients::RedisOptions& options) {
  if (text.find(',') != std::string::npos) {
    return fail(Code::kUnimplemented,
                "metadata 'redisHost': several hosts (clusters, sentinels) are "
                "not served yet: name one");
  }
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string::npos && text.find(']', colon) == std::string::npos;
  if (has_port) {
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [read, error] = std::from_chars(text.data() + colon + 1, end, port);
    if (error != std::errc() || read != end || port == 0) {
      return fail(Code::kInvalid, "metadata 'redisHost': expected host:port, got '" + text + "'");
    }
    options.port = port;
    text.resize(colon);
  }
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  options.host = std::move(text);
  return {};
}

std::optional<Found> found_in(const RedisReply& reply) {
  if (reply.kind == RedisReply::Kind::kError) {
    if (reply.text.starts_with("WRONGTYPE")) return std::nullopt;
    return Found(fail(Code::kUnavailable, "redis: " + reply.text));
  }
  if (reply.items.size() != 2 || reply.items[0].kind != RedisReply::Kind::kText) {
    return Found(std::optional<Value>());
  }
  return Found(std::optional(
      Value{.data = Payload(reply.items[0].text), .etag = reply.items[1].text, .expires = {}}));
}

Failure refused(const std::string& key, const Change& change) {
  static_cast<void>(change);
  return mismatch("failed to set key " + key);
}

}  // namespace

Result<clients::RedisOptions> redis_options(components::Properties& properties) {
  clients::RedisOptions options;
  const std::optional<std::string> host = properties.text({"redisHost"});
  if (!host) return fail(Code::kInvalid, "metadata 'redisHost' is missing");
  const auto port = properties.number({"redisPort"}, options.port, 1, 65535);
  if (!port) return fail(port.error());
  options.port = static_cast<std::uint16_t>(*port);
  if (const Result<void> taken = take_host(*host, options); !taken) return fail(taken.error());
  options.username = properties.text_or({"redisUsername"}, "");
  options.password = properties.text_or({"redisPassword"}, "");
  const auto database = properties.number({"redisDB"}, 0, 0, 1'000'000);
  if (!database) return fail(database.error());
  options.database = *database;
  const auto dial =
      properties.duration({"dialTimeout"}, options.connect_timeout, std::chrono::milliseconds(1));
  if (!dial) return fail(dial.error());
  if (*dial > Duration::zero()) options.connect_timeout = *dial;
  for (const std::string_view name : {"enableTLS", "failover", "useEntraID", "useOIDC"}) {
    if (properties.truth({name})) {
      return fail(Code::kUnimplemented, "metadata '" + std::string(name) + "': not served yet");
    }
  }
  if (properties.text_or({"redisType"}, "node") != "node") {
    return fail(Code::kUnimplemented, "metadata 'redisType': only 'node' is served so far");
  }
  // One connection that all commands share: what pools, retries and time-outs of theirs are for.
  for (const std::string_view name :
       {"redisMaxRetries", "redisMinRetryInterval", "redisMaxRetryInterval", "readTimeout",
        "writeTimeout", "poolSize", "poolTimeout", "minIdleConns", "maxConnAge", "idleTimeout",
        "idleCheckFrequency", "maxRetries", "maxRetryBackoff", "queryIndexes",
        "insecureSkipTLSVerify"}) {
    static_cast<void>(properties.text({name}));
  }
  return options;
}

Result<std::unique_ptr<Component>> RedisStore::open(components::Properties& properties,
                                                    Clock& clock, Duration init_timeout) {
  Result<clients::RedisOptions> options = redis_options(properties);
  if (!options) return fail(options.error());
  std::optional<std::int64_t> ttl;
  if (properties.text({"ttlInSeconds"})) {
    const auto seconds = properties.number({"ttlInSeconds"}, 0, -1, 2'147'483'647);
    if (!seconds) return fail(seconds.error());
    ttl = *seconds;
  }
  std::unique_ptr<RedisStore> store(new RedisStore(clock, *std::move(options), ttl));
  auto answer = std::make_shared<std::promise<Result<std::vector<RedisReply>>>>();
  store->client_.send(
      {{"PING"}}, true, clock.now() + init_timeout,
      [answer](Result<std::vector<RedisReply>> replies) { answer->set_value(std::move(replies)); });
  const Result<std::vector<RedisReply>> replies = answer->get_future().get();
  if (!replies) return fail(replies.error());
  return std::unique_ptr<Component>(std::move(store));
}

Features RedisStore::features() const {
  Features features;
  features.transaction_length_max = kTransactionMax;
  return features;
}

void RedisStore::read(std::vector<Read> reads, Time deadline, Done<std::vector<Found>> done) {
  std::vector<RedisCommand> commands;
  commands.reserve(reads.size());
  for (const Read& each : reads) commands.push_back({"HMGET", each.key, "data", "version"});
  client_.send(std::move(commands), true, deadline,
               [this, reads = std::move(reads), deadline,
                done = std::move(done)](Result<std::vector<RedisReply>> replies) mutable {
                 if (!replies) return done(std::vector<Found>(reads.size(), fail(replies.error())));
                 std::vector<Found> found;
                 std::vector<std::size_t> plain;
                 found.reserve(replies->size());
                 for (std::size_t i = 0; i < replies->size(); ++i) {
                   std::optional<Found> each = found_in((*replies)[i]);
                   if (!each) plain.push_back(i);
                   found.push_back(each ? *std::move(each) : Found(std::optional<Value>()));
                 }
                 if (plain.empty()) return done(std::move(found));
                 read_plain(std::move(reads), std::move(found), std::move(plain), deadline,
                            std::move(done));
               });
}

void RedisStore::read_plain(std::vector<Read> reads, std::vector<Found> found,
                            std::vector<std::size_t> which, Time deadline,
                            Done<std::vector<Found>> done) {
  std::vector<RedisCommand> commands;
  for (const std::size_t i : which) commands.push_back({"GET", reads[i].key});
  client_.send(std::move(commands), true, deadline,
               [found = std::move(found), which = std::move(which),
                done = std::move(done)](Result<std::vector<RedisReply>> replies) mutable {
                 for (std::size_t k = 0; k < which.size(); ++k) {
                   Found& place = found[which[k]];
                   if (!replies) {
                     place = fail(replies.error());
                   } else if ((*replies)[k].kind == RedisReply::Kind::kError) {
                     place = fail(Code::kUnavailable, "redis: " + (*replies)[k].text);
                   } else if ((*replies)[k].kind == RedisReply::Kind::kText) {
                     place = std::optional(
                         Value{.data = Payload((*replies)[k].text), .etag = {}, .expires = {}});
                   }
                 }
                 done(std::move(found));
               });
}

// Five arguments of the script.
Result<void> RedisStore::append(const Change& change, std::vector<std::string>& keys,
                                RedisCommand& arguments) const {
  const Set* set = std::get_if<Set>(&change);
  std::string etag = etag_of(change).value_or("");
  const bool last_write = std::visit(
      [](const auto& each) { return each.concurrency == Concurrency::kLastWrite; }, change);
  if (etag_of(change) && !number(etag)) return invalid_etag(etag);
  if (etag == "0") return mismatch();  // which no key has
  if (last_write) etag.clear();        // as Dapr: then the last one wins
  if (set != nullptr && set->creates()) etag = "0";
  std::string ttl;
  if (set != nullptr) {
    const std::optional<std::int64_t> seconds = set->ttl_seconds ? set->ttl_seconds : ttl_seconds_;
    if (seconds) ttl = std::to_string(*seconds);
  }
  const bool first = set != nullptr && set->concurrency == Concurrency::kFirstWrite;
  keys.push_back(key_of(change));
  for (std::string each : {std::string(set == nullptr ? "d" : "s"), std::move(etag),
                           set == nullptr ? std::string() : std::string(set->value.view()),
                           std::string(first ? "0" : "1"), std::move(ttl)}) {
    arguments.push_back(std::move(each));
  }
  return {};
}

namespace {

RedisCommand script(std::string_view mode, std::vector<std::string> keys, RedisCommand arguments) {
  RedisCommand command{"EVAL", std::string(kScript), std::to_string(keys.size())};
  for (std::string& each : keys) command.push_back(std::move(each));
  command.emplace_back(mode);
  for (std::string& each : arguments) command.push_back(std::move(each));
  return command;
}

}  // namespace

void RedisStore::write(std::vector<Change> changes, Time deadline,
                       Done<std::vector<Result<void>>> done) {
  std::vector<Result<void>> outcomes(changes.size());
  std::vector<RedisCommand> commands;
  std::vector<std::size_t> sent;  // the places of what the scripts do
  for (std::size_t i = 0; i < changes.size();) {
    std::vector<std::string> keys;
    RedisCommand arguments;
    for (; i < changes.size() && keys.size() < kChangesOfAScript; ++i) {
      // A script looks at all keys before it writes: the second of a key is for the next one.
      if (std::ranges::find(keys, key_of(changes[i])) != keys.end()) break;
      if (Result<void> fine = append(changes[i], keys, arguments); !fine) {
        outcomes[i] = std::move(fine);
      } else {
        sent.push_back(i);
      }
    }
    if (!keys.empty()) commands.push_back(script("each", std::move(keys), std::move(arguments)));
  }
  if (commands.empty()) return done(std::move(outcomes));
  client_.send(
      std::move(commands), false, deadline,
      [changes = std::move(changes), outcomes = std::move(outcomes), sent = std::move(sent),
       done = std::move(done)](Result<std::vector<RedisReply>> replies) mutable {
        if (!replies) {
          for (const std::size_t i : sent) outcomes[i] = fail(replies.error());
          return done(std::move(outcomes));
        }
        std::size_t next = 0;
        for (const RedisReply& reply : *replies) {
          for (const RedisReply& each : reply.items) {
            if (next == sent.size()) break;
            const std::size_t i = sent[next++];
            if (each.integer == 0) outcomes[i] = refused(key_of(changes[i]), changes[i]);
          }
          // A script that failed says so instead of its list; how long that was is lost.
          if (reply.kind != RedisReply::Kind::kError) continue;
          for (; next < sent.size(); ++next) {
            outcomes[sent[next]] = fail(Code::kUnknownOutcome, "redis: " + reply.text);
          }
        }
        done(std::move(outcomes));
      });
}

void RedisStore::transact(std::vector<Change> changes, Time deadline, Done<void> done) {
  std::vector<std::string> keys;
  RedisCommand arguments;
  for (const Change& each : merged(std::move(changes))) {
    if (Result<void> fine = append(each, keys, arguments); !fine) return done(std::move(fine));
  }
  std::vector<RedisCommand> commands;
  commands.push_back(script("all", std::move(keys), std::move(arguments)));
  client_.send(std::move(commands), false, deadline,
               [done = std::move(done)](const Result<std::vector<RedisReply>>& replies) mutable {
                 if (!replies) return done(fail(replies.error()));
                 const RedisReply& reply = replies->front();
                 if (reply.kind == RedisReply::Kind::kError) {
                   return done(fail(Code::kUnavailable, "redis: " + reply.text));
                 }
                 for (const RedisReply& each : reply.items) {
                   if (each.integer == 0) return done(mismatch());
                 }
                 done({});
               });
}

}  // namespace troupe::blocks::state
