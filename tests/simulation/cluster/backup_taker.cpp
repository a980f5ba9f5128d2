#include "tests/simulation/cluster/backup_taker.h"

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "actors/turns/outbox_message.h"
#include "storage/backup/backup_file.h"
#include "storage/shard/snapshot.h"
#include "tests/simulation/cluster/actors.h"
#include "tools/troupe/deal.h"
#include <troupe/message.h>

namespace troupe::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPatience = 2s;
constexpr std::size_t kTagBytes = 1;  // before a state: how it is encoded

struct Accounts {
  std::map<std::string, AccountState> states;
  std::vector<std::pair<std::string, Deposit>> under_way;  // to whom
};

void add(Accounts& accounts, const storage::RestoredRow& row) {
  if (const auto* value = std::get_if<storage::RestoredValue>(&row)) {
    if (value->type != Account::kType || !value->name.empty()) return;
    const auto state = decode_message<AccountState>(Payload(value->value.substr(kTagBytes)));
    check(state.has_value(), "a state can be read");
    accounts.states[value->id] = *state;
  } else if (const auto* message = std::get_if<storage::RestoredMessage>(&row)) {
    const auto sent = actors::decode_outbox_message(message->message);
    check(sent.has_value(), "a message can be read");
    const auto deposit = decode_message<Deposit>(sent->message.message);
    check(deposit.has_value(), "a deposit can be read");
    accounts.under_way.emplace_back(sent->message.target.id, *deposit);
  }
}

// What does not fit; empty if all does.
std::string misfit(const Accounts& accounts) {
  int sum = 0;
  std::map<std::pair<int, int>, int> heard;  // from, to: messages received and under way
  for (const auto& [id, state] : accounts.states) {
    sum += state.balance - AccountState{}.balance;
    for (const Deposit& each : state.received) ++heard[{each.from, std::stoi(id)}];
  }
  for (const auto& [to, deposit] : accounts.under_way) {
    sum += deposit.amount;
    if (deposit.number != ++heard[{deposit.from, std::stoi(to)}]) {
      return "message " + std::to_string(deposit.number) + " from " + std::to_string(deposit.from) +
             " to " + to + " is not the next";
    }
  }
  if (sum != 0) return "money came or went: " + std::to_string(sum);
  for (const auto& [id, state] : accounts.states) {
    for (std::size_t to = 0; to < state.sent.size(); ++to) {
      const int known = heard[{std::stoi(id), static_cast<int>(to)}];
      if (known != state.sent[to]) {
        return "account " + id + " sent " + std::to_string(state.sent[to]) + " messages to " +
               std::to_string(to) + ", of which there are " + std::to_string(known);
      }
    }
  }
  return {};
}

}  // namespace

BackupTaker::Leads BackupTaker::leads() {
  Leads leads;
  for (ShardId shard{0}; shard.value < world_.shard_count(); ++shard.value) {
    if (const auto machine = world_.leader(shard)) leads[*machine].push_back(shard);
  }
  return leads;
}

// One step at all leaders. False: somebody refused it, or did not answer.
bool BackupTaker::every(
    const Leads& leads,
    const std::function<void(cluster::Backups&, const std::vector<ShardId>&, Done<void>)>& step) {
  struct Steps {
    std::size_t done = 0;
    bool failed = false;
  };
  const auto steps = std::make_shared<Steps>();
  for (const auto& [machine, shards] : leads) {
    if (world_.random().chance(0.5)) meanwhile_();  // some hear of it later
    if (!world_.ready(machine)) return false;
    world_.node(machine)->process().happens([node = world_.node(machine), shards, step, steps] {
      if (node->cluster().backups() == nullptr) {
        steps->failed = true;
        return;
      }
      step(*node->cluster().backups(), shards, [steps](const Result<void>& result) {
        ++steps->done;
        if (!result) steps->failed = true;
      });
    });
  }
  const Time until = world_.now() + kPatience;
  do meanwhile_();
  while (steps->done < leads.size() && !steps->failed && world_.now() < until);
  return steps->done == leads.size() && !steps->failed;
}

bool BackupTaker::take() {
  name_ = "backup " + std::to_string(++taken_);
  rows_.clear();
  const Leads led = leads();
  std::size_t shards = 0;
  for (const auto& [machine, some] : led) shards += some.size();
  if (shards < world_.shard_count()) return false;
  using Shards = std::vector<ShardId>;
  const bool whole =
      every(led, [name = name_](cluster::Backups& at, const Shards& some,
                                Done<void> done) { done(at.hold(name, some)); }) &&
      every(led,
            [name = name_](cluster::Backups& at, const Shards& some, Done<void> done) {
              at.cut(name, some,
                     [done = std::move(done)](
                         const Result<std::vector<cluster::Backups::Cut>>& cuts) mutable {
                       if (!cuts) return done(fail(cuts.error()));
                       done({});
                     });
            }) &&
      every(led, [name = name_](cluster::Backups& at, const Shards& some, Done<void> done) {
        at.confirm(name, some, std::move(done));
      });
  every(led, [name = name_](cluster::Backups& at, const Shards&, Done<void> done) {
    at.release(name);
    done({});
  });
  bool read_all = whole;
  for (const auto& [machine, some] : led) {
    for (const ShardId shard : some) read_all = read_all && read(machine, shard);
  }
  end(led);
  if (read_all) check();
  return read_all;
}

// The rows of one cut, a part at a time.
bool BackupTaker::read(std::size_t machine, ShardId shard) {
  for (std::uint64_t number = 1;; ++number) {
    const auto part = std::make_shared<std::optional<Result<std::string>>>();
    if (!world_.ready(machine)) return false;
    world_.node(machine)->process().happens(
        [node = world_.node(machine), shard, number, part, name = name_] {
          if (node->cluster().backups() == nullptr) return;
          node->cluster().backups()->part(
              name, shard, number, [part](Result<std::string> given) { *part = std::move(given); });
        });
    const Time until = world_.now() + kPatience;
    do meanwhile_();
    while (!*part && world_.now() < until);
    if (!*part || !**part) return false;
    auto decoded = storage::decode_backup_part(***part);
    if (!decoded) {
      world_.violation("a part of a backup is damaged");
      return false;
    }
    const auto* rows = std::get_if<storage::BackupRows>(&*decoded);
    if (rows == nullptr) return true;
    const auto visited =
        storage::each_row(rows->chunk, [&](std::string_view key, std::string_view value) {
          rows_[shard].emplace_back(key, value);
          return Result<void>();
        });
    if (!visited) world_.violation("rows of a backup are damaged");
  }
}

void BackupTaker::end(const Leads& leads) {
  for (const auto& [machine, shards] : leads) {
    if (!world_.ready(machine)) continue;
    world_.node(machine)->process().happens([node = world_.node(machine), name = name_] {
      if (node->cluster().backups() != nullptr) node->cluster().backups()->end(name);
    });
  }
}

void BackupTaker::check() {
  const auto count = static_cast<std::uint32_t>(world_.shard_count());
  tools::Dealer dealer({.from = count, .to = count, .now = WallTime{}});
  for (const auto& [shard, rows] : rows_) {
    for (const auto& [key, value] : rows) {
      if (!dealer.learn(shard, key, value)) world_.violation("a row of a backup is unreadable");
    }
  }
  Accounts accounts;
  for (const auto& [shard, rows] : rows_) {
    for (const auto& [key, value] : rows) {
      const auto dealt =
          dealer.deal(shard, key, value, [&](ShardId, const storage::RestoredRow& row) {
            add(accounts, row);
            return Result<void>();
          });
      if (!dealt) world_.violation("a row of a backup cannot be dealt");
    }
  }
  const std::string wrong = misfit(accounts);
  if (!wrong.empty()) world_.violation(name_ + " does not fit together: " + wrong);
}

}  // namespace troupe::sim
