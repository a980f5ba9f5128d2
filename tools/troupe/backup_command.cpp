#include "tools/troupe/backup_command.h"

#include <ostream>
#include <utility>
#include <variant>

#include <poll.h>

#include "runtime/api/admin.h"
#include "runtime/base/random.h"
#include "storage/backup/backup_file.h"
#include "tools/troupe/file.h"
#include "tools/troupe/table.h"
#include <troupe/json.h>

namespace troupe::tools {
namespace {

constexpr std::string_view kBackups = "/troupe/v1/backups";
constexpr auto kPatience = std::chrono::seconds(60);
constexpr int kPauseMs = 200;

// What is said at the end; with --json, its JSON.
struct BackupSummary {
  std::string file;
  std::string backup;
  std::string cluster;
  WallTime taken;
  std::uint64_t shards = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
};

class BackupRun {
 public:
  BackupRun(NodeApi& api, Terminal& terminal, NewFile& file, api::BackupPlan plan)
      : api_(api), terminal_(terminal), file_(file), plan_(std::move(plan)) {}

  Result<void> run(bool shows_progress) {
    if (auto put = put_header(); !put) return put;
    for (const api::BackupCut& cut : plan_.shards) {
      if (auto copied = copy(cut); !copied) return copied;
      if (!shows_progress) continue;
      terminal_.errors << "\rshard " << cut.shard + 1 << " of " << plan_.shards.size() << ", "
                       << bytes_ << " bytes" << std::flush;
    }
    if (shows_progress) terminal_.errors << '\n';
    return put(storage::BackupEnd());
  }

  std::uint64_t rows() const { return rows_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  Result<void> put(const storage::BackupPart& part) {
    const std::string bytes = writer_.bytes_of(part);
    bytes_ += bytes.size();
    return file_.write(bytes);
  }

  Result<void> put_header() {
    for (std::size_t i = 0; i < plan_.shards.size(); ++i) {
      if (plan_.shards[i].shard == i) continue;
      return fail(Code::kInternal, "the node's plan of the backup lacks a shard");
    }
    storage::BackupHeader header{.backup = plan_.backup,
                                 .cluster = plan_.cluster,
                                 .shard_count = static_cast<std::uint32_t>(plan_.shards.size()),
                                 .taken = plan_.taken,
                                 .addresses = plan_.addresses};
    return put(header);
  }

  // All rows of a shard, checked against the hash that its leader has of them.
  Result<void> copy(const api::BackupCut& cut) {
    if (auto begun = put(storage::BackupShard{{cut.shard}, cut.applied}); !begun) return begun;
    storage::RowsHash hash;
    for (std::uint64_t number = 1;; ++number) {
      Result<std::string> bytes = patiently(clock_, [&] { return api_.get(target(cut, number)); });
      if (!bytes) return fail(bytes.error());
      Result<storage::BackupPart> part = storage::decode_backup_part(*std::move(bytes));
      if (!part) return fail(part.error());
      const std::string shard = "shard " + std::to_string(cut.shard);
      if (const auto* end = std::get_if<storage::BackupShardEnd>(&*part)) {
        if (hash.value() == end->hash) return put(*part);
        return fail(Code::kDataLoss,
                    "the rows of " + shard + " were damaged on the way; try again");
      }
      const auto* rows = std::get_if<storage::BackupRows>(&*part);
      if (rows == nullptr) return fail(Code::kInternal, "a part that is no rows of " + shard);
      auto read = storage::each_row(rows->chunk, [&](std::string_view key, std::string_view value) {
        hash.add(key, value);
        ++rows_;
        return Result<void>();
      });
      if (!read) return read;
      if (auto written = put(*part); !written) return written;
    }
  }

  std::string target(const api::BackupCut& cut, std::uint64_t number) const {
    return path_of(kBackups,
                   {plan_.backup, cut.node, std::to_string(cut.shard), std::to_string(number)});
  }

  SystemClock clock_;
  NodeApi& api_;
  Terminal& terminal_;
  NewFile& file_;
  api::BackupPlan plan_;
  storage::BackupWriter writer_;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
};

Result<void> say(const BackupSummary& summary, bool json, Terminal& terminal) {
  if (json) {
    const Result<std::string> text = try_to_json(summary);
    if (!text) return fail(text.error());
    terminal.out << *text << '\n';
    return {};
  }
  terminal.out << format_pairs({{"file", summary.file},
                                {"backup", summary.backup},
                                {"cluster", summary.cluster},
                                {"shards", std::to_string(summary.shards)},
                                {"rows", std::to_string(summary.rows)},
                                {"bytes", std::to_string(summary.bytes)}});
  return {};
}

}  // namespace

Result<std::string> patiently(Clock& clock, const std::function<Result<std::string>()>& step) {
  const Time until = clock.now() + kPatience;
  for (;;) {
    Result<std::string> result = step();
    const bool passes = !result && result.error().code == Code::kUnavailable;
    if (!passes || clock.now() >= until) return result;
    ::poll(nullptr, 0, kPauseMs);
  }
}

Result<void> run_backup(const BackupRequest& request, NodeApi& api, Terminal& terminal) {
  Result<NewFile> file = NewFile::create(request.file);
  if (!file) return fail(file.error());
  Random random(random_seed());
  const std::string backup = to_string(NodeId{random.next(), random.next()});
  const std::string at = path_of(kBackups, {backup});
  const Result<std::string> answer = api.post(at, "");
  if (!answer) return fail(answer.error());
  Result<api::BackupPlan> plan = from_json<api::BackupPlan>(*answer);
  if (!plan) return fail(plan.error());
  BackupSummary summary{.file = request.file,
                        .backup = backup,
                        .cluster = plan->cluster,
                        .taken = plan->taken,
                        .shards = plan->shards.size()};
  BackupRun run(api, terminal, *file, *std::move(plan));
  Result<void> copied = run.run(terminal.colours && !request.json);
  // The cluster need not keep the cuts any longer; if it does not hear of it, it forgets them.
  static_cast<void>(api.remove(at));
  if (!copied) return copied;
  if (auto finished = file->finish(); !finished) return finished;
  summary.rows = run.rows();
  summary.bytes = run.bytes();
  return say(summary, request.json, terminal);
}

}  // namespace troupe::tools
