#include "placement/table/table_sync.h"

#include <algorithm>

namespace troupe::placement {
namespace {

enum class Kind : std::uint8_t { kRows = 1, kDigest = 2, kVersions = 3, kWish = 4 };

// A row larger than this does not travel as news.
constexpr std::size_t kNewsRowSizeMax = 1000;  // bytes
// A kind and the largest count or range in front of a list.
constexpr std::size_t kListOverhead = 8;  // bytes
constexpr std::size_t kVersionSizeMax = 20;

std::string message(Kind kind, std::string_view body) {
  std::string out(1, static_cast<char>(kind));
  out.append(body);
  return out;
}

// A list grows until it would pass `size_max`, then another begins.
class Lists {
 public:
  Lists(Kind kind, std::size_t size_max, std::size_t count_max, std::vector<std::string>& out)
      : kind_(kind), size_max_(size_max), count_max_(count_max), out_(out) {}
  ~Lists() { flush(); }
  Lists(const Lists&) = delete;
  Lists& operator=(const Lists&) = delete;

  // False once the messages are as many as allowed.
  bool add(std::string_view item) {
    if (!body_.empty() && 1 + body_.size() + item.size() > size_max_) flush();
    if (out_.size() >= count_max_) return false;
    body_.append(item);
    return true;
  }
  void flush() {
    if (!body_.empty()) out_.push_back(message(kind_, body_));
    body_.clear();
  }

 private:
  Kind kind_;
  std::size_t size_max_;
  std::size_t count_max_;
  std::vector<std::string>& out_;
  std::string body_;
};

}  // namespace

TableSync::TableSync(Table& table, TableSyncConfig config, Random& random)
    : table_(table),
      config_(config),
      random_(random),
      queues_(config.transmissions),
      is_changed_(table.shard_count()) {}

bool TableSync::apply(Row row) {
  const ShardId shard = row.shard;
  const RowVersion version = row.version;
  if (!table_.apply(std::move(row))) return false;
  note(shard);
  if (queues_.empty()) return true;
  queues_.front().push_back({.shard = shard, .version = version});
  std::size_t waiting = 0;
  for (const auto& queue : queues_) waiting += queue.size();
  for (auto queue = queues_.rbegin(); waiting > config_.queue_length_max; ++queue) {
    while (waiting > config_.queue_length_max && !queue->empty()) {
      queue->pop_front();
      --waiting;
    }
  }
  return true;
}

void TableSync::note(ShardId shard) {
  if (is_changed_[shard.value]) return;
  is_changed_[shard.value] = true;
  changed_.push_back(shard);
}

std::vector<ShardId> TableSync::take_changed() {
  for (const ShardId shard : changed_) is_changed_[shard.value] = false;
  return std::exchange(changed_, {});
}

bool TableSync::take_digest_due(Time now) {
  if (now < next_digest_) return false;
  // A random phase, so that nodes started together do not compare in step
  const auto interval = static_cast<std::uint64_t>(config_.digest_interval.count());
  next_digest_ = now + Duration(static_cast<Duration::rep>(interval / 2 + random_.below(interval)));
  return true;
}

std::string TableSync::digest() const {
  std::string body;
  append_big_endian(body, table_.shard_count());
  for (std::uint32_t range = 0; range < table_.range_count(); ++range) {
    append_big_endian(body, table_.range_digest(range));
  }
  return message(Kind::kDigest, body);
}

bool TableSync::has_news() const {
  return std::ranges::any_of(queues_, [](const auto& queue) { return !queue.empty(); });
}

std::vector<std::string> TableSync::take_news(std::size_t count_max, std::size_t size_max) {
  std::vector<std::string> messages;
  std::vector<std::pair<std::size_t, News>> told;
  Lists lists(Kind::kRows, size_max, count_max, messages);
  bool full = false;
  for (std::size_t times = 0; times < queues_.size() && !full; ++times) {
    while (!queues_[times].empty()) {
      const News news = queues_[times].front();
      const Table::RowRef row = table_.lookup(news.shard);
      // If a newer one has taken its place, that is news itself
      Writer item;
      if (row->version == news.version) encode(item, *row);
      if (item.size() > 0 && item.size() <= kNewsRowSizeMax) {
        full = item.size() >= size_max || !lists.add(item.take());
        if (full) break;
        if (times + 1 < queues_.size()) told.emplace_back(times + 1, news);
      }
      queues_[times].pop_front();
    }
  }
  for (const auto& [times, news] : told) queues_[times].push_back(news);
  lists.flush();
  return messages;
}

Result<void> TableSync::receive(std::string_view message, std::size_t size_max,
                                std::vector<std::string>& replies) {
  if (message.empty()) return fail(Code::kInvalid, "an empty message about the table");
  const std::string_view body = message.substr(1);
  switch (static_cast<Kind>(message.front())) {
    case Kind::kRows:
      return receive_rows(body);
    case Kind::kDigest:
      return receive_digest(body, size_max, replies);
    case Kind::kVersions:
      return receive_versions(body, size_max, replies);
    case Kind::kWish:
      return receive_wish(body, size_max, replies);
  }
  return fail(Code::kInvalid, "an unknown message about the table");
}

Result<void> TableSync::receive_rows(std::string_view body) {
  Reader in(body);
  std::vector<Row> rows;
  while (in.ok() && in.left() > 0) rows.push_back(decode_row(in));
  if (!in.ok()) return fail(Code::kInvalid, "damaged rows");
  for (Row& row : rows) {
    if (row.shard.value < table_.shard_count()) apply(std::move(row));
  }
  return {};
}

Result<void> TableSync::receive_digest(std::string_view body, std::size_t size_max,
                                       std::vector<std::string>& replies) {
  if (body.size() != 4 + std::size_t{8} * table_.range_count() ||
      big_endian_32(body.substr(0, 4)) != table_.shard_count()) {
    return fail(Code::kInvalid, "the digest of a table of another size");
  }
  body.remove_prefix(4);
  // Begins anywhere, so that with many differences and few replies each range has its turn
  const auto first = static_cast<std::uint32_t>(random_.below(table_.range_count()));
  const std::size_t replies_max = replies.size() + config_.replies_max;
  Lists lists(Kind::kVersions, size_max, replies_max, replies);
  for (std::uint32_t i = 0; i < table_.range_count(); ++i) {
    const std::uint32_t range = (first + i) % table_.range_count();
    if (big_endian_64(body.substr(std::size_t{8} * range, 8)) == table_.range_digest(range))
      continue;
    // A list is shards in order: the first, how many, their versions
    std::uint32_t shard = table_.range_begin(range);
    const std::uint32_t end = table_.range_begin(range + 1);
    while (shard < end) {
      Writer versions;
      const std::uint32_t from = shard;
      while (shard < end && versions.size() + kVersionSizeMax + kListOverhead < size_max) {
        versions.id(table_.version(ShardId{shard++}));
      }
      if (shard == from) return {};  // no room for even one
      Writer list;
      list.number(from);
      list.number(shard - from);
      std::string item = list.take() + versions.take();
      if (!lists.add(item)) return {};
    }
  }
  return {};
}

Result<void> TableSync::receive_versions(std::string_view body, std::size_t size_max,
                                         std::vector<std::string>& replies) {
  Reader in(body);
  std::vector<ShardId> newer_here;
  Lists wishes(Kind::kWish, size_max, replies.size() + config_.replies_max, replies);
  while (in.ok() && in.left() > 0) {
    const auto from = static_cast<std::uint32_t>(in.number_up_to(table_.shard_count()));
    const std::uint64_t count = in.number_up_to(table_.shard_count() - from);
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
      const ShardId shard{from + i};
      const auto theirs = in.id<RowVersion>();
      const RowVersion ours = table_.version(shard);
      if (!in.ok() || theirs == ours) continue;
      if (theirs < ours) {
        newer_here.push_back(shard);
        continue;
      }
      Writer wish;
      wish.id(shard);
      wishes.add(wish.take());
    }
  }
  wishes.flush();
  append_rows(newer_here, size_max, replies);
  if (!in.ok()) return fail(Code::kInvalid, "damaged versions of rows");
  return {};
}

Result<void> TableSync::receive_wish(std::string_view body, std::size_t size_max,
                                     std::vector<std::string>& replies) {
  Reader in(body);
  std::vector<ShardId> wished;
  while (in.ok() && in.left() > 0) {
    const auto shard = in.id<ShardId>();
    if (!in.ok() || shard.value >= table_.shard_count()) {
      return fail(Code::kInvalid, "a damaged wish for rows");
    }
    wished.push_back(shard);
  }
  append_rows(wished, size_max, replies);
  return {};
}

void TableSync::append_rows(const std::vector<ShardId>& shards, std::size_t size_max,
                            std::vector<std::string>& replies) const {
  Lists lists(Kind::kRows, size_max, replies.size() + config_.replies_max, replies);
  for (const ShardId shard : shards) {
    const Table::RowRef row = table_.lookup(shard);
    if (!row) continue;
    Writer item;
    encode(item, *row);
    if (!lists.add(item.take())) return;
  }
}

}  // namespace troupe::placement
