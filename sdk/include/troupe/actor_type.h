#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/actor_key.h>
#include <troupe/function.h>
#include <troupe/payload.h>
#include <troupe/result.h>
#include <troupe/time.h>

/// The seam between the classes that users write and whatever runs them (a node, an attached
/// program, the testing kit): a turn is a message and a state in, a reply and effects out.
/// Users seldom need this header: see actor.h.
namespace troupe {

/// How a method may overlap with other turns of its actor.
enum class Access : std::uint8_t {
  kWrite,       // alone
  kReadOnly,    // beside other read-only turns; sees the last committed state
  kInterleave,  // also while another turn waits; sees state as const
};

struct MethodInfo {
  std::string name;
  Access access = Access::kWrite;
};

/// How a type's actors are run. Every limit is per activation unless said otherwise.
struct ActorOptions {
  /// Deactivated after so long without a turn, unless it has a timer.
  Duration idle_timeout = std::chrono::minutes(60);
  Duration turn_timeout = std::chrono::seconds(60);  // for calls that bring no deadline
  /// When the actor moves, turns under way may take so long to end; then they are begun anew at its
  /// next owner. Those that have called nothing but `const` methods are begun anew at once.
  Duration drain_timeout = std::chrono::seconds(5);
  std::size_t mailbox_length_max = 1000;  // beyond: kExhausted at once
  bool reentrant = false;                 // calls of the same chain may enter
  std::size_t reentrant_depth_max = 32;
  bool blocking = false;              // turns run on the blocking pool, not on the actor threads
  std::size_t stateless_workers = 0;  // more than 0: so many activations a node, no state, no shard
  /// Its turns run in a program beside the node. They cannot be undone, and are not begun anew:
  /// each lasts until the program has answered, whatever its caller does meanwhile, and what the
  /// program asks for itself during a turn (named values, timers, reminders) takes effect at once.
  bool outside = false;
};

/// A one-shot or repeated timer of the activation: gone with it.
struct TimerChange {
  std::string name;
  bool cancel = false;
  std::string method;
  Payload message;
  Duration after{0};
  std::optional<Duration> every;
  std::optional<std::uint32_t> repeats;  // counts the first
  std::optional<Duration> ttl;           // from now
};

/// What becomes of a reminder's ticks that were missed, as while no node was up.
enum class CatchUp : std::uint8_t {
  kCoalesce,  // one tick stands for all of them
  kAll,       // each runs
  kSkip,      // none that is more than a minute late
};

/// What happens when a tick's turn throws or cannot run.
struct FailurePolicy {
  bool drop = false;                            // give this tick up at once
  Duration interval = std::chrono::seconds(1);  // before the next attempt
  std::optional<std::uint32_t> retries_max;     // nothing: until it succeeds
};

/// A durable reminder: fires even if the node, or every node, has crashed by then.
struct ReminderChange {
  std::string name;
  bool cancel = false;
  std::string method;
  Payload message;
  /// When: texts in the grammar of docs/guide.md ("10s", "PT1H", RFC 3339; "R5/PT10S", "0 30 9 * *
  /// MON",
  /// "@every 1m"). Empty `due`: one period from now, or at once without a period.
  std::string due;
  std::string period;
  std::string ttl;
  /// How many ticks in all, the first included; stands for an `R` in `period`.
  std::optional<std::uint32_t> repeats = {};
  bool overwrite = true;  // false: kConflict if there is one of that name
  FailurePolicy failure;
  CatchUp catch_up = CatchUp::kCoalesce;
};

/// A message sent when the turn has committed, delivered at least once and in effect exactly once.
struct OneWayMessage {
  ActorKey target;
  std::string method;
  Payload message;
};

/// A name and a value that travel beside a message: a header of HTTP, an entry of gRPC's metadata.
struct Metadata {
  std::string name;
  std::string value;
};

/// What a turn leaves behind; takes effect as a whole when the turn commits.
struct TurnResult {
  Payload reply;
  std::string content_type;             // of the reply
  std::vector<Metadata> metadata = {};  // beside it; not recorded for callers that ask again
  /// The state as it is now, encoded with its tag byte; nothing for a turn that could not write.
  std::optional<std::string> state;
  std::vector<TimerChange> timers;
  std::vector<ReminderChange> reminders;
  std::vector<OneWayMessage> outbox;
  /// The activation need not stay in memory: let it go as soon as no call waits for it.
  bool deactivate_when_idle = false;
};

/// One call from inside a turn to another actor.
struct NestedCall {
  ActorKey target;
  std::string method;
  Payload message;
  std::string content_type;
  std::optional<Duration> timeout;  // never beyond the turn's own deadline
  /// The method changes nothing: a turn that has made no other calls may be begun anew elsewhere
  /// when its actor moves.
  bool read_only = false;
};

/// What a running turn may ask of the world. Lives as long as the turn. Used on the activation's
/// own thread of control only, and completions run there too, never inside the call that began
/// them.
class TurnContext {
 public:
  virtual ~TurnContext() = default;

  virtual const ActorKey& self() const = 0;
  /// The calendar time at which the turn began.
  virtual WallTime now() const = 0;
  /// When the caller stops waiting.
  virtual Time deadline() const = 0;
  virtual Duration time_left() const = 0;
  /// Rises with every change of owner: hand it to outside systems so that they can refuse what a
  /// replaced owner still tries to write.
  virtual std::uint64_t fencing_token() const = 0;
  virtual std::string_view traceparent() const = 0;

  virtual void call(NestedCall call, Done<Payload> done) = 0;
  virtual void sleep(Duration duration, Done<void> done) = 0;

  /// What came beside the message, if it was a call.
  virtual std::span<const Metadata> metadata() const { return {}; }
  /// Of a reentrant type: what marks calls that belong to this turn.
  virtual std::string_view chain_id() const { return {}; }
  /// For an operation that ends on a thread of its own: `next` runs on the activation's when what
  /// this gives is called, once, from any thread. Not if the turn is gone by then.
  virtual Function<void()> from_any_thread(Function<void()> next) { return next; }
};

/// Beside the message of a timer or reminder, for types that are `outside`: the words it was
/// registered with.
struct TickFacts {
  std::string name;
  bool timer = false;         // else a reminder, whose times are not told
  std::string callback = {};  // likewise
  std::string due_time = {};
  std::string period = {};
};

/// A message as it comes to a turn.
struct TurnMessage {
  std::string method;
  Payload body;
  std::string content_type;
  /// This turn begins with on_activate, so it may write whatever the access of its method is.
  bool activates = false;
  std::shared_ptr<const TickFacts> tick = nullptr;  // null: a call, or a type that is not `outside`
};

/// A live actor: an object of the user's class with what makes it run, type-erased.
/// Used by one thread at a time. May be destroyed while turns wait, but not from inside run_turn or
/// a completion other than `done`: their coroutines are destroyed, their `done` is not called, and
/// completions of `context` that come later do nothing.
class ActorInstance {
 public:
  virtual ~ActorInstance() = default;

  /// Takes the committed state; nothing if the actor has none yet. kInvalid, naming the path, if
  /// the bytes are not of this type.
  virtual Result<void> load(std::optional<std::string_view> state) = 0;

  /// Runs one message to its end. `context` and the instance outlive the turn. `done` is called
  /// once, during this call or later from a completion of `context`. What the method throws
  /// arrives as kApplication; an unknown method as kUnimplemented; a message that cannot be read as
  /// kInvalid. After an error the caller discards the instance if it is spoiled().
  virtual void run_turn(TurnMessage message, TurnContext& context, Done<TurnResult> done) = 0;

  /// After a failed turn: the user's object may differ from the committed state, or has not been
  /// activated, and must not serve another turn. Read-only turns, unknown methods and unreadable
  /// messages spoil nothing.
  virtual bool spoiled() const { return true; }

  /// The last turn, if the instance is let go in order: its effects count like those of any turn.
  virtual void deactivate(TurnContext& context, Done<TurnResult> done) = 0;
};

/// An actor type as the runtime knows it. Immutable.
struct ActorType {
  std::string name;
  ActorOptions options;
  std::vector<MethodInfo> methods;  // sorted by name
  std::function<std::unique_ptr<ActorInstance>()> make;

  /// Null if there is none of that name.
  const MethodInfo* method(std::string_view method_name) const {
    for (const MethodInfo& each : methods) {
      if (each.name == method_name) return &each;
    }
    return nullptr;
  }
};

}  // namespace troupe
