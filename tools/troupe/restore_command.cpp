#include <algorithm>
#include <map>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "runtime/api/admin.h"
#include "runtime/base/random.h"
#include "storage/backup/backup_file.h"
#include "tools/troupe/backup_command.h"
#include "tools/troupe/deal.h"
#include "tools/troupe/file.h"
#include "tools/troupe/table.h"
#include <troupe/json.h>

namespace troupe::tools {
namespace {

constexpr std::string_view kRestores = "/troupe/v1/restores";
constexpr std::size_t kPartBytes = 256U << 10U;          // becomes one entry of the shard's log
constexpr std::size_t kGatheredBytes = 16U << 20U;       // over all shards
constexpr auto kLookPatience = std::chrono::seconds(2);  // of each node of the old cluster
constexpr std::size_t kLooksMax = 16;

struct RestoreSummary {
  std::string backup;
  std::string from;  // cluster
  std::string into;
  std::uint64_t shards = 0;  // of the backup
  std::uint64_t into_shards = 0;
  std::uint64_t values = 0;
  std::uint64_t reminders = 0;
  std::uint64_t messages = 0;
};

using UsePart = std::function<Result<void>(const storage::BackupPart& part)>;

// Gives each part of the file in order; nothing is wrong with those given before it fails.
Result<void> each_part(const std::string& path, const UsePart& use) {
  Result<OldFile> file = OldFile::open(path);
  if (!file) return fail(file.error());
  storage::BackupReader reader([&](std::size_t size) { return file->read(size); });
  for (;;) {
    const Result<storage::BackupPart> part = reader.next();
    if (!part) return fail(part.error().code, path + ": " + part.error().message);
    if (auto used = use(*part); !used) return used;
    if (std::holds_alternative<storage::BackupEnd>(*part)) return {};
  }
}

// Gives each row of the file in order, with its shard.
using UseRow =
    std::function<Result<void>(ShardId shard, std::string_view key, std::string_view value)>;
Result<void> each_row(const std::string& path, const UseRow& use) {
  ShardId shard;
  return each_part(path, [&](const storage::BackupPart& part) -> Result<void> {
    if (const auto* begun = std::get_if<storage::BackupShard>(&part)) shard = begun->shard;
    const auto* rows = std::get_if<storage::BackupRows>(&part);
    if (rows == nullptr) return {};
    return storage::each_row(rows->chunk, [&](std::string_view key, std::string_view value) {
      return use(shard, key, value);
    });
  });
}

Result<storage::BackupHeader> header_of(const std::string& path) {
  Result<OldFile> file = OldFile::open(path);
  if (!file) return fail(file.error());
  storage::BackupReader reader([&](std::size_t size) { return file->read(size); });
  const Result<storage::BackupPart> part = reader.next();
  if (!part) return fail(part.error().code, path + ": " + part.error().message);
  return std::get<storage::BackupHeader>(*part);
}

// Two clusters of the same actors would both ring their reminders and send their messages.
Result<void> refuse_beside_live(const storage::BackupHeader& header, NodeApi::Options options) {
  options.timeout = kLookPatience;
  std::size_t looks = 0;
  for (const std::string& text : header.addresses) {
    const Result<net::HostPort> address = net::parse_host_port(text, 0);
    if (!address || ++looks > kLooksMax) continue;
    options.address = *address;
    NodeApi node(options);
    const Result<std::string> answer = node.get("/troupe/v1/status");
    const Result<api::StatusFacts> status =
        answer ? from_json<api::StatusFacts>(*answer) : fail(answer.error());
    const bool its = status && status->cluster == header.cluster;
    const bool silent = !answer && answer.error().code != Code::kUnauthenticated;
    if (silent || (answer && !its)) continue;
    return fail(
        Code::kPrecondition,
        "the cluster that the backup was taken of " +
            std::string(its ? "is alive: a node of it answers at "
                            : "may be alive: something that wants another token answers at ") +
            text +
            ". Both would ring the same reminders and send the same messages. Stop it "
            "first, or say --beside-live");
  }
  return {};
}

// Gathers rows by shard and sends them in parts.
class Parts {
 public:
  Parts(Clock& clock, NodeApi& api, std::string restore)
      : clock_(clock), api_(api), restore_(std::move(restore)) {}

  Result<void> add(ShardId to, storage::RestoredRow row) {
    Gathered& gathered = shards_[to];
    const std::size_t bytes = size_about(row);
    if (gathered.bytes + bytes > kPartBytes) {
      if (auto sent = send(to, gathered); !sent) return sent;
    }
    gathered.rows.push_back(std::move(row));
    gathered.bytes += bytes;
    bytes_ += bytes;
    return bytes_ > kGatheredBytes ? send_all() : Result<void>();
  }

  Result<void> send_all() {
    for (auto& [shard, gathered] : shards_) {
      if (auto sent = send(shard, gathered); !sent) return sent;
    }
    return {};
  }

  std::uint64_t sent(ShardId shard) const {
    const auto found = shards_.find(shard);
    return found == shards_.end() ? 0 : found->second.sent;
  }

 private:
  struct Gathered {
    std::vector<storage::RestoredRow> rows;
    std::size_t bytes = 0;
    std::uint64_t sent = 0;  // parts
  };

  Result<void> send(ShardId shard, Gathered& gathered) {
    if (gathered.rows.empty()) return {};
    const std::string target = path_of(
        kRestores, {restore_, std::to_string(shard.value), std::to_string(++gathered.sent)});
    const std::string body = storage::encode(gathered.rows);
    const Result<std::string> sent =
        patiently(clock_, [&] { return api_.post(target, body, "application/octet-stream"); });
    bytes_ -= gathered.bytes;
    gathered.bytes = 0;
    gathered.rows.clear();
    return sent ? Result<void>() : fail(sent.error());
  }

  Clock& clock_;
  NodeApi& api_;
  std::string restore_;
  std::map<ShardId, Gathered> shards_;
  std::size_t bytes_ = 0;
};

class RestoreRun {
 public:
  RestoreRun(const RestoreRequest& request, storage::BackupHeader header, Clock& clock,
             NodeApi& api, Terminal& terminal)
      : request_(request),
        header_(std::move(header)),
        clock_(clock),
        api_(api),
        terminal_(terminal) {}

  Result<void> run() {
    Result<api::ContentsView> contents = look();
    if (!contents) return fail(contents.error());
    // An earlier run had loaded everything, and had begun to open the shards.
    Result<std::optional<std::string>> loaded = check_target(*contents);
    if (!loaded) return fail(loaded.error());
    if (!request_.beside_live) {
      if (auto alone = refuse_beside_live(header_, request_.from); !alone) return alone;
    }
    Dealer dealer({.from = header_.shard_count,
                   .to = static_cast<std::uint32_t>(contents->shards.size()),
                   .now = clock_.wall()});
    const auto learn = [&](ShardId shard, std::string_view key, std::string_view value) {
      return dealer.learn(shard, key, value);
    };
    if (auto read = each_row(request_.file, learn); !read) return read;
    if (!*loaded) {
      if (auto filled = fill(dealer); !filled) return unfinished(filled.error());
    } else {
      restore_ = **loaded;
    }
    if (auto opened = step("finish"); !opened) return unfinished(opened.error());
    return say(*contents, dealer.counts());
  }

 private:
  Result<void> unfinished(const Error& why) const {
    return fail(why.code, why.message +
                              "\nThe restore is not finished, and the cluster stays closed. Run it "
                              "again, or empty the cluster with `troupe restore --abandon`");
  }

  Result<api::ContentsView> look() {
    const Result<std::string> answer =
        patiently(clock_, [&] { return api_.get("/troupe/v1/contents"); });
    if (!answer) return fail(answer.error());
    return from_json<api::ContentsView>(*answer);
  }

  Result<std::optional<std::string>> check_target(const api::ContentsView& contents) const {
    std::optional<std::string> finished;
    bool unfinished = false;
    for (const api::ShardContents& shard : contents.shards) {
      const bool ours = shard.restore.starts_with(header_.backup);
      if (shard.state == "data") return fail(not_empty(contents, shard));
      if (shard.state == "restoring") unfinished = true;
      if (shard.state == "restoring" && !ours) {
        return fail(Code::kPrecondition,
                    "the restore of another backup is not finished here; run that one again, or "
                    "give it up with `troupe restore --abandon`");
      }
      if (shard.state == "restored") finished = shard.restore;
    }
    if (!finished) return std::optional<std::string>();
    const bool goes_on = unfinished && std::ranges::all_of(contents.shards, [&](const auto& each) {
                           return each.restore == *finished;
                         });
    if (goes_on) return finished;
    return fail(Code::kPrecondition,
                "this cluster has been restored before; a backup goes into a new, empty one");
  }

  Error not_empty(const api::ContentsView& contents, const api::ShardContents& shard) const {
    const std::string whose = contents.cluster == header_.cluster
                                  ? "this is the cluster that the backup was taken of"
                                  : "this cluster is not empty";
    return {Code::kPrecondition, whose + ": actors have left something in shard " +
                                     std::to_string(shard.shard) +
                                     ". A backup goes into a new, empty cluster"};
  }

  Result<void> fill(Dealer& dealer) {
    Random random(random_seed());
    restore_ = header_.backup + "-" + to_string(NodeId{1, random.next()}).substr(16);
    if (auto begun = step("begin"); !begun) return begun;
    Parts parts(clock_, api_, restore_);
    const auto give = [&](ShardId to, storage::RestoredRow row) {
      return parts.add(to, std::move(row));
    };
    std::optional<ShardId> last;
    auto dealt =
        each_row(request_.file, [&](ShardId shard, std::string_view key, std::string_view value) {
          if (last != shard) progress(shard);
          last = shard;
          return dealer.deal(shard, key, value, give);
        });
    if (!dealt) return dealt;
    if (auto sent = parts.send_all(); !sent) return sent;
    return check_all_came(parts);
  }

  // Before any shard opens.
  Result<void> check_all_came(const Parts& parts) {
    const Result<api::ContentsView> contents = look();
    if (!contents) return fail(contents.error());
    for (const api::ShardContents& shard : contents->shards) {
      const bool whole = shard.state == "restoring" && shard.restore == restore_ &&
                         shard.parts == parts.sent(ShardId{shard.shard});
      if (whole) continue;
      return fail(Code::kPrecondition, "shard " + std::to_string(shard.shard) +
                                           " does not hold what was sent: another restore runs");
    }
    return {};
  }

  Result<void> step(const std::string& name) {
    const std::string target = path_of(kRestores, {restore_, name});
    const Result<std::string> done = patiently(clock_, [&] { return api_.post(target, ""); });
    return done ? Result<void>() : fail(done.error());
  }

  void progress(ShardId shard) {
    if (!terminal_.colours || request_.json) return;
    const bool last = shard.value + 1 == header_.shard_count;
    terminal_.errors << "\rshard " << shard.value + 1 << " of " << header_.shard_count
                     << (last ? "\n" : "") << std::flush;
  }

  Result<void> say(const api::ContentsView& contents, const Dealer::Counts& counts) {
    const RestoreSummary summary{.backup = header_.backup,
                                 .from = header_.cluster,
                                 .into = contents.cluster,
                                 .shards = header_.shard_count,
                                 .into_shards = contents.shards.size(),
                                 .values = counts.values,
                                 .reminders = counts.reminders,
                                 .messages = counts.messages};
    if (request_.json) {
      const Result<std::string> text = try_to_json(summary);
      if (!text) return fail(text.error());
      terminal_.out << *text << '\n';
      return {};
    }
    const std::string shards =
        std::to_string(summary.shards) + " to " + std::to_string(summary.into_shards);
    terminal_.out << format_pairs({{"backup", summary.backup},
                                   {"from", summary.from},
                                   {"into", summary.into},
                                   {"shards", shards},
                                   {"values", std::to_string(counts.values)},
                                   {"reminders", std::to_string(counts.reminders)},
                                   {"messages", std::to_string(counts.messages)}});
    return {};
  }

  const RestoreRequest& request_;
  storage::BackupHeader header_;
  Clock& clock_;
  NodeApi& api_;
  Terminal& terminal_;
  std::string restore_;
};

}  // namespace

Result<void> run_restore(const RestoreRequest& request, Clock& clock, NodeApi& api,
                         Terminal& terminal) {
  if (request.abandon) {
    const Result<std::string> done =
        patiently(clock, [&] { return api.remove(path_of(kRestores, {"all"})); });
    if (!done) return fail(done.error());
    terminal.out << "the cluster is empty, and open\n";
    return {};
  }
  Result<storage::BackupHeader> header = header_of(request.file);
  if (!header) return fail(header.error());
  return RestoreRun(request, *std::move(header), clock, api, terminal).run();
}

}  // namespace troupe::tools
