#include "actors/activation/mailbox.h"

namespace troupe::actors {

MailboxLink Mailbox::asleep_;
MailboxLink Mailbox::closed_;

EventList::EventList(MailboxLink* newest) : last_(newest) {
  while (newest != nullptr) {
    MailboxLink* const older = newest->next;
    newest->next = first_;
    first_ = newest;
    newest = older;
  }
}

EventList& EventList::operator=(EventList&& other) noexcept {
  std::swap(first_, other.first_);
  std::swap(last_, other.last_);
  return *this;
}

EventList::~EventList() {
  while (pop()) {
  }
}

std::unique_ptr<Event> EventList::pop() {
  if (first_ == nullptr) return nullptr;
  MailboxLink* const taken = std::exchange(first_, first_->next);
  taken->next = nullptr;
  return std::unique_ptr<Event>(static_cast<Event*>(taken));
}

void EventList::push_back(std::unique_ptr<Event> event) {
  event->next = nullptr;
  (first_ == nullptr ? first_ : last_->next) = event.get();
  last_ = event.release();
}

Mailbox::~Mailbox() { close(); }

Mailbox::Pushed Mailbox::push(std::unique_ptr<Event>& event) {
  MailboxLink* newest = newest_.load(std::memory_order_acquire);
  for (;;) {
    if (newest == &closed_) return Pushed::kClosed;
    const bool slept = newest == &asleep_;
    event->next = slept ? nullptr : newest;
    if (newest_.compare_exchange_weak(newest, event.get(), std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
      static_cast<void>(event.release());
      return slept ? Pushed::kWake : Pushed::kQueued;
    }
  }
}

EventList Mailbox::take_all() {
  // Only pushes come in between while it is awake, so an empty one stays what it is.
  MailboxLink* newest = newest_.load(std::memory_order_acquire);
  if (newest == nullptr || newest == &asleep_ || newest == &closed_) return {};
  do {
    if (newest == &closed_) return {};
  } while (!newest_.compare_exchange_weak(newest, nullptr, std::memory_order_acq_rel,
                                          std::memory_order_acquire));
  return EventList(newest);
}

bool Mailbox::sleep() {
  MailboxLink* nothing = nullptr;
  if (newest_.compare_exchange_strong(nothing, &asleep_, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
    return true;
  }
  return nothing == &closed_;
}

EventList Mailbox::close() {
  MailboxLink* const newest = newest_.exchange(&closed_, std::memory_order_acq_rel);
  if (newest == &asleep_ || newest == &closed_) return {};
  return EventList(newest);
}

}  // namespace troupe::actors
