#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/shard/machine.h"
#include "storage/shard/rows.h"

/// A small world of what takes effect: two shards with one actor each, whose owners change, whose
/// callers, reminders and messages repeat, whose entries arrive late and twice. The shards are real
/// (ShardMachine, rebuilt from its rows before every entry); what the rest of the runtime does for
/// them is modelled by its contract.
namespace troupe::storage {

/// A rule that is taken away.
enum class Without {
  kNothing,
  kEpoch,     // entries of former owners are taken
  kSequence,  // entries are taken whatever their number
  kCause,     // entries do not say what caused them
  kOutcome,   // messages are reported as consumed when they are sent
  kLowWater,  // messages say that they themselves are over
};

/// How often each may happen.
struct Scope {
  int calls = 0;     // sendings of one call with an id
  int locals = 0;    // calls without an id
  int ticks = 0;     // sendings of what is due
  int messages = 0;  // sendings of what is in the outbox
  int retries = 0;   // entries proposed again before their outcome is known
  int assigns = 0;   // changes of an owner
  int marks = 0;     // moves of the watermark
};

/// Rows that are copied with the world.
class CopiedRows final : public Reads {
 public:
  Result<std::optional<std::string>> get(std::string_view key) const override;
  std::unique_ptr<Cursor> scan(std::string_view from, std::string_view to) const override;
  void apply(const Batch& batch);
  const std::map<std::string, std::string, std::less<>>& all() const { return rows_; }

 private:
  std::map<std::string, std::string, std::less<>> rows_;
};

class EffectsWorld {
 public:
  EffectsWorld(Without without, Scope scope);

  /// Every world that one step leads to.
  std::vector<EffectsWorld> steps() const;
  /// What does not hold here, or nothing.
  std::string violation() const;
  /// Equal for worlds with the same future.
  std::string fingerprint() const;

 private:
  static constexpr std::size_t kNodes = 2;
  static constexpr std::size_t kShards = 2;

  /// What an actor is asked, and how it is counted.
  struct Request {
    std::size_t shard = 0;
    std::string what;  // "call", "tick 1", ...: one effect each
    Cause cause;
  };
  /// An entry on its way to a shard's log.
  struct Attempt {
    Request request;
    TurnCommand turn;
    int value = 0;  // of the actor after it
  };
  struct Activation {
    Epoch epoch;
    std::uint64_t last_sequence = 0;
    int value = 0;
    std::optional<Attempt> turn;  // whose outcome is not known
    bool proposed_again = false;
  };

  using Step = std::function<void(const std::function<void(EffectsWorld&)>& change)>;

  void request_steps(const Step& step) const;
  void log_steps(const Step& step) const;
  void owner_steps(const Step& step, std::size_t shard, std::size_t node) const;
  int& left_of(const std::string& what);

  ShardMachine machine(std::size_t shard) const;
  std::string apply(std::size_t shard, Command command, Outcome* outcome = nullptr);
  int stored_value(std::size_t shard) const;
  std::vector<ReminderRow> stored_reminders() const;
  std::vector<OutboxRow> outbox() const;

  void assign(std::size_t shard, std::size_t node);
  void begin(std::size_t node, const Request& request);
  TurnCommand command_for(const Activation& activation, const Request& request) const;
  void arrive(std::size_t attempt, bool told);
  void told(Activation& activation, const Outcome& outcome);
  void settled(const Request& request);
  std::vector<Request> sendings() const;

  Without without_;
  Scope left_;
  CopiedRows rows_;
  std::array<std::uint64_t, kShards> applied_{};  // index of the last entry that changed something
  std::array<std::array<std::optional<Activation>, kNodes>, kShards> activations_;
  std::vector<Request> requests_;
  std::vector<Attempt> attempts_;
  std::set<std::uint64_t> consumed_;  // numbers to be reported to the source
  std::optional<WallTime> mark_;      // proposed
  std::map<std::string, int> effects_;
  std::set<std::uint64_t> emitted_;
  std::set<std::string> acknowledged_;
  std::string broken_;
};

}  // namespace troupe::storage
