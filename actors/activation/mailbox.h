#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace troupe::actors {

class Activation;
class Router;

struct MailboxLink {
  MailboxLink* next = nullptr;
};

/// Something for an activation to handle: a call, a completion, a request to end.
class Event : public MailboxLink {
 public:
  virtual ~Event() = default;

  /// On the activation's own thread of control. `self` is this.
  virtual void handle(Activation& activation, std::unique_ptr<Event> self) = 0;

  /// When the activation has ended, calls go to the next one or back to the router, the rest is
  /// dropped.
  virtual bool is_call() const { return false; }
  virtual void hand_back(Router&) {}
};

/// Events in the order of their arrival.
class EventList {
 public:
  EventList() = default;
  /// Takes a chain that links each event to the one before it.
  explicit EventList(MailboxLink* newest);
  EventList(EventList&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)), last_(std::exchange(other.last_, nullptr)) {}
  EventList& operator=(EventList&& other) noexcept;
  ~EventList();

  bool empty() const { return first_ == nullptr; }
  /// Null if empty.
  std::unique_ptr<Event> pop();
  void push_back(std::unique_ptr<Event> event);

 private:
  MailboxLink* first_ = nullptr;
  MailboxLink* last_ = nullptr;
};

/// Where many threads leave events for one activation. Never blocks. Tells who has to wake the
/// activation: the first to come while it sleeps.
///
/// A stack whose top is swapped out whole by the one who takes; asleep and closed are two special
/// tops. Bounded by those who push: see Activation.
class Mailbox {
 public:
  Mailbox() = default;
  ~Mailbox();

  enum class Pushed : std::uint8_t {
    kQueued,
    kWake,    // it slept: the pusher wakes it
    kClosed,  // not taken
  };
  /// From any thread. Takes `event` unless closed.
  Pushed push(std::unique_ptr<Event>& event);

  // The rest is for the activation itself, while it is awake.

  EventList take_all();
  /// True: there was nothing, and whoever comes next wakes it. A new mailbox sleeps.
  bool sleep();
  /// Nothing comes in any more; what had is returned. The second time: nothing.
  EventList close();

 private:
  static MailboxLink asleep_;
  static MailboxLink closed_;

  std::atomic<MailboxLink*> newest_{&asleep_};
};

}  // namespace troupe::actors
