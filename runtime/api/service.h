#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "actors/directory/call.h"
#include "actors/directory/call_ids.h"
#include "actors/directory/router.h"
#include "actors/state/operations.h"
#include "actors/state/reminder_operations.h"
#include "runtime/api/admin.h"
#include "runtime/api/call_key.h"
#include "runtime/api/operations.h"
#include "runtime/api/state_service.h"
#include "runtime/api/status.h"
#include "runtime/api/trace.h"
#include "runtime/base/clock.h"
#include <troupe/actor_type.h>

namespace troupe::api {

/// The node that the service works for. Thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;

  /// False until this node is a registered member of its cluster. The two below require it.
  virtual bool ready() const = 0;
  virtual actors::Router& router() = 0;
  virtual actors::CallIds& ids() = 0;
  /// The actor types of this node, sorted, each with its number of activations.
  virtual std::vector<TypeCount> hosted() const = 0;

  /// Whether it is known what this node hosts: it may have to ask an app beside it first. Until
  /// then what is asked of actors waits.
  virtual bool settled() const { return true; }
  /// `then(true)` once it is settled, `then(false)` at `deadline`; on any thread.
  virtual void when_settled(Time /*deadline*/, Function<void(bool)> then) { then(true); }
  /// Whether actors of this type run in an app beside this node.
  virtual bool runs_outside(std::string_view /*type*/) const { return false; }
  /// True, and `call` taken, if its actor is in memory here; see actors::Actors.
  virtual bool deliver_here(actors::Call& /*call*/) { return false; }
};

/// What every operation brings along.
struct Context {
  /// Headers or gRPC metadata. `traceparent` and `Dapr-Reentrancy-Id` among them, in any case, are
  /// taken notice of.
  std::vector<actors::Metadata> metadata = {};
  /// How long the caller waits at most; nothing: ServiceOptions::timeout.
  std::optional<Duration> timeout = {};
  /// The caller's own name for the call, if it may send it again. Of methods and state
  /// transactions; else it means nothing.
  CallKey call_key = {};
};

/// A method of an actor, called.
struct Invocation {
  ActorKey key = {};
  std::string method = {};
  Payload body = {};
  std::string content_type = {};
};

struct StateChange {
  std::string name = {};
  std::optional<std::string> value = {};             // nothing: erase
  std::string etag = {};                             // empty: unconditional
  std::map<std::string, std::string> metadata = {};  // ttlInSeconds
};

/// A reminder as Dapr registers it. It calls the method of its own name.
struct ReminderRequest {
  ActorKey key = {};
  std::string name = {};
  std::string due_time = {};
  std::string period = {};
  std::string ttl = {};
  Payload data = {};  // JSON, the method's message; empty: none
  bool overwrite = true;
  std::optional<FailurePolicy> failure = {};  // nothing: Dapr's, three more attempts 1 s apart
};

/// A timer as Dapr registers it. It calls `callback`, or the method of its own name.
struct TimerRequest {
  ActorKey key = {};
  std::string name = {};
  std::string due_time = {};
  std::string period = {};
  std::string ttl = {};
  std::string callback = {};
  Payload data = {};
};

/// A reminder as the API shows it.
struct NamedReminder {
  ActorKey key = {};
  actors::ReminderFacts facts;
};

/// The app beside this node, as the metadata show it.
struct AppConnection {
  std::uint16_t port = 0;
  std::string protocol = "http";
  std::string channel_address = {};
  std::int64_t concurrency_max = -1;
};

/// A loaded component, as the metadata shows it.
struct ComponentFacts {
  std::string name = {};
  std::string type = {};
  std::string version = {};
  std::vector<std::string> capabilities = {};
};

/// The components of a node, which come and go. Thread-safe.
class ComponentList {
 public:
  virtual ~ComponentList() = default;
  virtual std::vector<ComponentFacts> loaded() const = 0;
};

/// What GET /v1.0/metadata tells.
struct Metadata {
  std::string id = {};  // app id
  std::string version = {};
  std::vector<TypeCount> actors = {};
  std::vector<ComponentFacts> components = {};
  std::map<std::string, std::string> extended = {};
  bool ready = false;
  std::optional<AppConnection> app = {};
};

struct ServiceOptions {
  std::string app_id = {};
  std::string version = "0.1.0";
  /// For calls that bring no time-out of their own: what clients wait by default, and a turn's own.
  Duration timeout = std::chrono::seconds(60);
  std::size_t reminders_max = 10'000;  // listed or deleted by type at a time
  std::size_t extended_max = 1'000;    // entries that callers add to the metadata
  std::optional<AppConnection> app = {};
};

/// Every operation of the API, once: checks names, begins the call, and says in Dapr's words what
/// went wrong. http/ and grpc/ only translate. Thread-safe.
class Service {
 public:
  struct Dependencies {
    Clock& clock;
    Backend& backend;
    Admin& admin;
    Traces& traces;
    const blocks::state::Stores* stores = nullptr;  // null: none
    const ComponentList* components = nullptr;      // null: none
  };

  /// All outlive it, and every operation begun ends before they do.
  Service(Dependencies dependencies, ServiceOptions options);
  ~Service();

  void invoke(Invocation invocation, Context context, Answer<actors::Reply> answer);

  /// Named values beside the native state, which has no name here. None: no such value.
  void state(ActorKey key, std::string name, Context context,
             Answer<std::optional<actors::StoredValue>> answer);
  /// All or nothing.
  void change_state(ActorKey key, std::vector<StateChange> changes, Context context,
                    Answer<Nothing> answer);

  void register_reminder(ReminderRequest request, Context context, Answer<Nothing> answer);
  void reminder(ActorKey key, std::string name, Context context, Answer<NamedReminder> answer);
  /// Those of one actor, or of all of a type (empty id).
  void reminders(ActorKey key, Context context, Answer<std::vector<NamedReminder>> answer);
  /// Succeeds also if there is none.
  void delete_reminder(ActorKey key, std::string name, Context context, Answer<Nothing> answer);
  /// Those of one actor, or of all of a type (empty id).
  void delete_reminders(ActorKey key, Context context, Answer<Nothing> answer);

  void register_timer(TimerRequest request, Context context, Answer<Nothing> answer);
  void delete_timer(ActorKey key, std::string name, Context context, Answer<Nothing> answer);

  /// The building block of state.
  StateService& stores() { return stores_; }

  bool ready() const;
  /// Ready, and what this node hosts is known.
  bool settled() const { return ready() && deps_.backend.settled(); }
  const std::string& app_id() const { return options_.app_id; }
  Metadata metadata() const;
  /// kExhausted beyond ServiceOptions::extended_max.
  Result<void> set_metadata(std::string key, std::string value);

 private:
  struct Deleting;
  struct Extended;

  Result<actors::Call> begin(ActorKey key, actors::CallKind kind, Context context);
  Result<void> take_key(const CallKey& key, actors::Call& call) const;
  void route(actors::Call call);
  void send(actors::Call call, Operation operation, Answer<actors::Reply> answer);
  std::optional<ApiError> refusal(const ActorKey& key, std::string_view name_kind,
                                  std::string_view name) const;
  void delete_next(std::shared_ptr<Deleting> deleting);

  Dependencies deps_;
  ServiceOptions options_;
  std::unique_ptr<Extended> extended_;
  StateService stores_;
};

}  // namespace troupe::api
