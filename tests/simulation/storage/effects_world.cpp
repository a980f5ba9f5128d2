#include "tests/simulation/storage/effects_world.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/codec.h"

namespace troupe::storage {
namespace {

constexpr std::array<std::string_view, 2> kTypes = {"Source", "Target"};
constexpr std::string_view kId = "a";
constexpr ShardId kTarget{1};
const WallTime kNow = WallTime(std::chrono::seconds(10));
const WallTime kDeadline = WallTime(std::chrono::seconds(100));

class CopiedCursor final : public Cursor {
 public:
  using At = std::map<std::string, std::string, std::less<>>::const_iterator;
  CopiedCursor(At at, At end) : at_(at), end_(end) {}
  bool valid() const override { return at_ != end_; }
  std::string_view key() const override { return at_->first; }
  std::string_view value() const override { return at_->second; }
  void next() override { ++at_; }
  Result<void> status() const override { return {}; }

 private:
  At at_;
  At end_;
};

ReplicaKeys keys(std::size_t shard) {
  return {ShardId{static_cast<std::uint32_t>(shard)}, ReplicaId{1}};
}

// By how much a request changes its actor's value: the sum tells which took effect.
int worth(const std::string& what) {
  if (what == "call") return 1;
  if (what.starts_with("local")) return 10;
  if (what == "tick r 1") return 100;
  if (what == "tick r 2") return 1'000;
  if (what.starts_with("tick")) return 10'000;
  return 1;  // a message
}

}  // namespace

Result<std::optional<std::string>> CopiedRows::get(std::string_view key) const {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return std::optional<std::string>();
  return std::optional(found->second);
}

std::unique_ptr<Cursor> CopiedRows::scan(std::string_view from, std::string_view to) const {
  return std::make_unique<CopiedCursor>(rows_.lower_bound(from), rows_.lower_bound(to));
}

void CopiedRows::apply(const Batch& batch) {
  for (const Batch::Operation& operation : batch.operations()) {
    switch (operation.kind) {
      case Batch::Kind::kPut:
        rows_.insert_or_assign(std::string(operation.key), operation.value);
        break;
      case Batch::Kind::kErase:
        rows_.erase(std::string(operation.key));
        break;
      case Batch::Kind::kEraseRange:
        rows_.erase(rows_.lower_bound(operation.key), rows_.lower_bound(operation.value));
        break;
    }
  }
}

EffectsWorld::EffectsWorld(Without without, Scope scope) : without_(without), left_(scope) {
  for (std::size_t shard = 0; shard < kShards; ++shard) assign(shard, 0);
  if (scope.ticks == 0) return;
  Request registration{.shard = 0, .what = "register", .cause = {}};
  TurnCommand turn = command_for(*activations_[0][0], registration);
  turn.state.clear();
  turn.outbox.clear();
  turn.reminders = {{.name = "r", .due = WallTime(std::chrono::seconds(4)), .body = ""}};
  apply(0, turn);
  activations_[0][0]->last_sequence = 1;
}

ShardMachine EffectsWorld::machine(std::size_t shard) const {
  ShardMachine machine(keys(shard), kShards, rows_);
  check(machine.load().has_value(), "the rows can be read");
  return machine;
}

// A refused entry takes up an index as well, but that changes nothing afterwards: not to count it
// makes worlds equal.
std::string EffectsWorld::apply(std::size_t shard, Command command, Outcome* outcome) {
  ShardMachine machine = this->machine(shard);
  Batch batch;
  Result<Outcome> result =
      machine.apply(applied_[shard] + 1, 1, {.now = kNow, .command = std::move(command)}, batch);
  if (!result) return result.error().message;
  machine.put_sequences(batch);
  if (result->kind == Outcome::Kind::kApplied) ++applied_[shard];
  rows_.apply(batch);
  if (outcome != nullptr) *outcome = std::move(*result);
  return "";
}

int EffectsWorld::stored_value(std::size_t shard) const {
  const auto row = value(rows_, keys(shard), kTypes[shard], kId, "", kNow);
  check(row.has_value(), "the rows can be read");
  return *row ? std::stoi((*row)->value) : 0;
}

std::vector<ReminderRow> EffectsWorld::stored_reminders() const {
  return reminders(rows_, keys(0), kTypes[0], kId).value();
}

std::vector<OutboxRow> EffectsWorld::outbox() const {
  return outbox_messages(rows_, keys(0), kTarget, 0, 100).value();
}

// --- what can happen

std::vector<EffectsWorld> EffectsWorld::steps() const {
  std::vector<EffectsWorld> next;
  const Step step = [&](const std::function<void(EffectsWorld&)>& change) {
    EffectsWorld world = *this;
    change(world);
    next.push_back(std::move(world));
  };
  request_steps(step);
  log_steps(step);
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    for (std::size_t node = 0; node < kNodes; ++node) owner_steps(step, shard, node);
  }
  return next;
}

// Somebody sends a request; it arrives at an owner, or at one who believes to be.
void EffectsWorld::request_steps(const Step& step) const {
  for (const Request& request : sendings()) {
    step([&](EffectsWorld& w) {
      --w.left_of(request.what);
      if (without_ == Without::kOutcome && request.shard == 1) w.settled(request);
      w.requests_.push_back(request);
    });
  }
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    for (std::size_t node = 0; node < kNodes; ++node) {
      const auto& activation = activations_[requests_[i].shard][node];
      if (!activation || activation->turn) continue;
      step([&](EffectsWorld& w) {
        w.requests_.erase(w.requests_.begin() + static_cast<std::ptrdiff_t>(i));
        w.begin(node, requests_[i]);
      });
    }
  }
}

// Something proposed reaches its log.
void EffectsWorld::log_steps(const Step& step) const {
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    for (const bool told : {true, false}) {
      step([&](EffectsWorld& w) { w.arrive(i, told); });
    }
  }
  if (!consumed_.empty()) {
    step([&](EffectsWorld& w) {
      w.broken_ = w.apply(
          0, OutboxDoneCommand{.target = kTarget, .numbers = {consumed_.begin(), consumed_.end()}});
      w.consumed_.clear();
    });
  }
  if (mark_) {
    step([&](EffectsWorld& w) {
      w.broken_ = w.apply(0, WatermarkCommand{*mark_});
      w.mark_.reset();
    });
  } else if (left_.marks > 0) {
    step([&](EffectsWorld& w) {
      --w.left_.marks;
      w.mark_ = due_index(rows_, keys(0), machine(0).watermark(), kNow, 0)->next.value_or(kNow);
    });
  }
}

// A node becomes the owner (again: its process before has crashed), or proposes once more.
void EffectsWorld::owner_steps(const Step& step, std::size_t shard, std::size_t node) const {
  if (left_.assigns > 0) {
    step([&](EffectsWorld& w) {
      --w.left_.assigns;
      w.assign(shard, node);
    });
  }
  const auto& activation = activations_[shard][node];
  if (left_.retries == 0 || !activation || !activation->turn) return;
  step([&](EffectsWorld& w) {
    --w.left_.retries;
    w.activations_[shard][node]->proposed_again = true;
    w.attempts_.push_back(*activation->turn);
  });
}

int& EffectsWorld::left_of(const std::string& what) {
  if (what == "call") return left_.calls;
  if (what.starts_with("local")) return left_.locals;
  return what.starts_with("tick") ? left_.ticks : left_.messages;
}

std::vector<EffectsWorld::Request> EffectsWorld::sendings() const {
  std::vector<Request> all;
  if (left_.calls > 0) {
    all.push_back({.shard = 0,
                   .what = "call",
                   .cause = CallCause{.id = {.origin = {1, 1}, .generation = {1}, .sequence = 1},
                                      .keep_until = kDeadline}});
  }
  if (left_.locals > 0) {
    all.push_back({.shard = 0, .what = "local " + std::to_string(left_.locals), .cause = {}});
  }
  if (left_.ticks > 0) {
    const WallTime from = machine(0).watermark();
    const auto due = due_reminders(rows_, keys(0), from, kNow, 100);
    for (const ReminderRow& row : due.value()) {
      all.push_back(
          {.shard = 0,
           .what = "tick " + row.name + " " + std::to_string(row.number),
           .cause = TickCause{
               .name = row.name, .registration = row.registration, .number = row.number}});
    }
  }
  if (left_.messages > 0) {
    const auto outboxes = machine(0).outbox();
    for (const OutboxRow& row : outbox()) {
      const std::uint64_t low_water =
          without_ == Without::kLowWater ? row.number + 1 : outboxes.at(kTarget).low_water;
      all.push_back(
          {.shard = 1,
           .what = "message " + std::to_string(row.number),
           .cause = OutboxCause{.source = {}, .number = row.number, .low_water = low_water}});
    }
  }
  return all;
}

void EffectsWorld::assign(std::size_t shard, std::size_t node) {
  const auto owners = machine(shard).owners();
  const auto present = owners.find(kTypes[shard]);
  const Epoch epoch = present == owners.end() ? Epoch{} : present->second.epoch;
  broken_ = apply(shard, AssignCommand{.type = std::string(kTypes[shard]),
                                       .node = {1, node + 1},
                                       .generation = {1},
                                       .replaces = epoch});
  activations_[shard][node] = Activation{.epoch = Epoch{epoch.value + 1},
                                         .last_sequence = 0,
                                         .value = stored_value(shard),
                                         .turn = {}};
}

TurnCommand EffectsWorld::command_for(const Activation& activation, const Request& request) const {
  TurnCommand turn;
  turn.type = kTypes[request.shard];
  turn.id = kId;
  turn.epoch = activation.epoch;
  turn.sequence = activation.last_sequence + 1;
  if (without_ != Without::kCause) turn.cause = request.cause;
  turn.state = {{.name = "",
                 .value = std::to_string(activation.value + worth(request.what)),
                 .expires = {},
                 .etag = {}}};
  if (request.shard == 0 && !request.what.starts_with("tick")) {
    turn.outbox = {{.target = kTarget, .message = request.what}};
  }
  return turn;
}

// The turn runs at once; the reminder r comes twice, a call registers one that is due already.
void EffectsWorld::begin(std::size_t node, const Request& request) {
  Activation& activation = *activations_[request.shard][node];
  Attempt attempt{.request = request,
                  .turn = command_for(activation, request),
                  .value = activation.value + worth(request.what)};
  if (const auto* tick = std::get_if<TickCause>(&request.cause)) {
    ReminderWrite write{.name = tick->name, .number = tick->number + 1, .due = {}, .body = ""};
    const bool again = tick->name == "r" && tick->number == 1;
    write.kind = again ? ReminderWrite::Kind::kAdvance : ReminderWrite::Kind::kErase;
    write.due = WallTime(std::chrono::seconds(6));
    attempt.turn.reminders = {write};
  } else if (request.what == "call" && left_.marks + left_.ticks > 0) {
    attempt.turn.reminders = {
        {.name = "late", .due = WallTime(std::chrono::seconds(1)), .body = ""}};
  }
  activation.turn = attempt;
  activation.proposed_again = false;
  attempts_.push_back(std::move(attempt));
}

// It reaches the log. What becomes of it may not reach whoever proposed it.
void EffectsWorld::arrive(std::size_t which, bool told) {
  const Attempt attempt = attempts_[which];
  attempts_.erase(attempts_.begin() + static_cast<std::ptrdiff_t>(which));
  const std::size_t shard = attempt.request.shard;
  TurnCommand turn = attempt.turn;
  const Owner present = machine(shard).owners().at(turn.type);
  if (without_ == Without::kEpoch && turn.epoch != present.epoch) {
    turn.epoch = present.epoch;
    turn.sequence = present.last_sequence + 1;
  }
  if (without_ == Without::kSequence) turn.sequence = present.last_sequence + 1;
  const auto outbox_before = machine(0).outbox();
  Outcome outcome;
  broken_ = apply(shard, turn, &outcome);
  if (outcome.kind == Outcome::Kind::kApplied) {
    ++effects_[attempt.request.what];
    if (!turn.outbox.empty()) emitted_.insert(machine(0).outbox().at(kTarget).last);
  }
  for (auto& activation : activations_[shard]) {
    if (!told || !activation || !activation->turn) continue;
    const Attempt& waiting = *activation->turn;
    if (waiting.request.what != attempt.request.what || waiting.turn.epoch != attempt.turn.epoch ||
        waiting.turn.sequence != attempt.turn.sequence) {
      continue;
    }
    if (outcome.kind == Outcome::Kind::kStaleEpoch) {
      activation.reset();
    } else {
      this->told(*activation, outcome);
    }
  }
}

void EffectsWorld::told(Activation& activation, const Outcome& outcome) {
  const Attempt attempt = *std::exchange(activation.turn, std::nullopt);
  const bool used_up = outcome.kind == Outcome::Kind::kGap &&
                       outcome.last_sequence >= attempt.turn.sequence && activation.proposed_again;
  if (outcome.kind == Outcome::Kind::kApplied || used_up) {
    activation.last_sequence = attempt.turn.sequence;
    activation.value = attempt.value;
  } else if (outcome.kind == Outcome::Kind::kConsumed) {
    activation.value = stored_value(attempt.request.shard);
  } else {
    broken_ = "an owner's entry is refused";
  }
  settled(attempt.request);
}

void EffectsWorld::settled(const Request& request) {
  acknowledged_.insert(request.what);
  if (const auto* message = std::get_if<OutboxCause>(&request.cause)) {
    consumed_.insert(message->number);
  }
}

// --- what must hold

std::string EffectsWorld::violation() const {
  if (!broken_.empty()) return broken_;
  std::array<int, kShards> sums{};
  for (const auto& [what, times] : effects_) {
    if (times > 1) return what + " took effect twice";
    sums[what.starts_with("message") ? 1 : 0] += worth(what);
  }
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    if (stored_value(shard) != sums[shard]) return "an update is lost";
  }
  for (const std::string& what : acknowledged_) {
    if (!effects_.contains(what)) return what + " is acknowledged and did not take effect";
  }
  std::set<std::uint64_t> kept;
  for (const OutboxRow& row : outbox()) kept.insert(row.number);
  for (const std::uint64_t number : emitted_) {
    const bool arrived = effects_.contains("message " + std::to_string(number));
    if (!arrived && !kept.contains(number)) return "a message is lost";
  }
  const std::vector<ReminderRow> all = stored_reminders();
  const auto seen = due_reminders(rows_, keys(0), machine(0).watermark(), WallTime::max(), 100);
  if (seen.value().size() != all.size()) return "a reminder is below the watermark";
  return "";
}

std::string EffectsWorld::fingerprint() const {
  Writer out;
  for (const int left : {left_.calls, left_.locals, left_.ticks, left_.messages, left_.retries,
                         left_.assigns, left_.marks}) {
    out.integer(left);
  }
  const auto write = [&](const Attempt& attempt) {
    out.bytes(attempt.request.what);
    out.number(attempt.turn.epoch.value);
    out.number(attempt.turn.sequence);
    out.integer(attempt.value);
    const auto* message = std::get_if<OutboxCause>(&attempt.request.cause);
    out.number(message == nullptr ? 0 : message->low_water);
  };
  for (const auto& [key, value] : rows_.all()) {
    out.bytes(key);
    out.bytes(value);
  }
  for (const auto& shard : activations_) {
    for (const auto& activation : shard) {
      out.boolean(activation.has_value());
      if (!activation) continue;
      out.number(activation->epoch.value);
      out.number(activation->last_sequence);
      out.integer(activation->value);
      out.boolean(activation->proposed_again);
      out.boolean(activation->turn.has_value());
      if (activation->turn) write(*activation->turn);
    }
  }
  const auto sorted = [&](std::vector<std::string> texts) {
    std::ranges::sort(texts);
    for (const std::string& text : texts) out.bytes(text);
  };
  std::vector<std::string> flying;
  for (const Request& request : requests_) {
    const auto* message = std::get_if<OutboxCause>(&request.cause);
    flying.push_back(request.what + (message ? "<" + std::to_string(message->low_water) : ""));
  }
  sorted(std::move(flying));
  out.number(requests_.size());
  std::vector<std::string> proposed;
  for (const Attempt& attempt : attempts_) {
    Writer one;
    std::swap(out, one);
    write(attempt);
    std::swap(out, one);
    proposed.push_back(one.take());
  }
  sorted(std::move(proposed));
  for (const std::uint64_t number : consumed_) out.number(number);
  out.integer(mark_ ? mark_->time_since_epoch().count() : -1);
  for (const std::string& what : acknowledged_) out.bytes(what);
  return out.take();
}

}  // namespace troupe::storage
