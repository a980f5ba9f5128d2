#include "runtime/blocks/state/in_memory.h"

#include <charconv>
#include <utility>

namespace troupe::blocks::state {
namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Features InMemoryStore::features() const { return {}; }

InMemoryStore::Row* InMemoryStore::Rows::find(const std::string& key, WallTime now) {
  const auto found = by_key.find(key);
  if (found == by_key.end()) return nullptr;
  if (found->second.expires && *found->second.expires <= now) return nullptr;
  return &found->second;
}

// The rows that nobody asks for any more go as others are written.
void InMemoryStore::Rows::drop_expired(WallTime now) {
  while (!expiring.empty() && expiring.begin()->first <= now) {
    const auto row = by_key.find(expiring.begin()->second);
    if (row != by_key.end() && row->second.expires && *row->second.expires <= now) {
      by_key.erase(row);
    }
    expiring.erase(expiring.begin());
  }
}

Result<void> InMemoryStore::Rows::check(const Change& change, WallTime now) {
  const Row* row = find(key_of(change), now);
  if (const std::optional<std::string>& etag = etag_of(change)) {
    const std::optional<std::uint64_t> wanted = number_of(*etag);
    if (!wanted) return invalid_etag(*etag);
    if (row == nullptr || row->version != *wanted) return mismatch();
    return {};
  }
  const Set* set = std::get_if<Set>(&change);
  if (set != nullptr && set->creates() && row != nullptr) return mismatch();
  return {};
}

void InMemoryStore::Rows::apply(const Change& change, WallTime now) {
  const Set* set = std::get_if<Set>(&change);
  if (set == nullptr) {
    by_key.erase(key_of(change));
    return;
  }
  Row& row = by_key[set->key];
  row = {.data = set->value, .version = ++version, .expires = {}};
  if (set->ttl_seconds && *set->ttl_seconds > 0) {
    row.expires = now + std::chrono::seconds(*set->ttl_seconds);
    expiring.emplace(*row.expires, set->key);
  }
}

void InMemoryStore::read(std::vector<Read> reads, Time /*deadline*/,
                         Done<std::vector<Found>> done) {
  const WallTime now = clock_.wall();
  std::vector<Found> found;
  found.reserve(reads.size());
  rows_.with([&](Rows& rows) {
    for (const Read& each : reads) {
      const Row* row = rows.find(each.key, now);
      if (row == nullptr) {
        found.emplace_back(std::optional<Value>());
        continue;
      }
      found.emplace_back(std::optional(
          Value{.data = row->data, .etag = std::to_string(row->version), .expires = row->expires}));
    }
  });
  done(std::move(found));
}

void InMemoryStore::write(std::vector<Change> changes, Time /*deadline*/,
                          Done<std::vector<Result<void>>> done) {
  const WallTime now = clock_.wall();
  std::vector<Result<void>> outcomes;
  outcomes.reserve(changes.size());
  rows_.with([&](Rows& rows) {
    rows.drop_expired(now);
    for (const Change& each : changes) {
      outcomes.push_back(rows.check(each, now));
      if (outcomes.back()) rows.apply(each, now);
    }
  });
  done(std::move(outcomes));
}

void InMemoryStore::transact(std::vector<Change> changes, Time /*deadline*/, Done<void> done) {
  const WallTime now = clock_.wall();
  done(rows_.with([&](Rows& rows) -> Result<void> {
    rows.drop_expired(now);
    for (const Change& each : changes) {
      if (Result<void> fine = rows.check(each, now); !fine) return fine;
    }
    for (const Change& each : changes) rows.apply(each, now);
    return {};
  }));
}

}  // namespace troupe::blocks::state
