#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <troupe/troupe.h>

struct Line {
  std::string from;
  std::string text;
};

struct UserState {
  std::vector<Line> inbox;
};

/// Somebody who chats: keeps what was said in their rooms until they read it.
class User : public troupe::Actor<UserState> {
 public:
  void receive(Line line) { state.inbox.push_back(std::move(line)); }
  /// What is new, once.
  std::vector<Line> read() { return std::exchange(state.inbox, {}); }

  using Methods = troupe::Methods<troupe::one_way<&User::receive>, &User::read>;
};

struct Announcement {
  std::string text;
  int minutes = 0;  // from now
};

struct RoomState {
  std::set<std::string> members;
  std::deque<Line> history;  // the last ones
};

/// A chat room: tells everyone what one says, announces what was planned, and forgets its history
/// after a quiet day.
class Room : public troupe::Actor<RoomState> {
 public:
  static constexpr std::size_t kHistoryMax = 100;

  void join(const std::string& user) {
    state.members.insert(user);
    tell({"room", user + " joined"});
  }
  void leave(const std::string& user) {
    if (state.members.erase(user) == 0) throw troupe::ActorError(user + " is not here");
    tell({"room", user + " left"});
  }
  void say(Line line) {
    if (!state.members.contains(line.from)) throw troupe::ActorError(line.from + " is not here");
    tell(std::move(line));
    set_reminder<&Room::forget>({.after = std::chrono::hours(24)});  // begins anew with every line
  }
  /// Durable, one for every text, and with the text to say.
  void plan(const Announcement& announcement) {
    set_reminder<&Room::announce>({.after = std::chrono::minutes(announcement.minutes),
                                   .name = "announce " + announcement.text},
                                  announcement.text);
  }
  void announce(const std::string& text) { tell({"room", text}); }
  void forget() { state.history.clear(); }

  /// Shown to others for three seconds; not worth saving.
  void typing(std::string user) {
    typing_ = std::move(user);
    set_timer<&Room::stop_typing>({.after = std::chrono::seconds(3)});
  }
  void stop_typing() { typing_.clear(); }
  std::string who_types() const { return typing_; }
  std::deque<Line> history() const { return state.history; }

  using Methods = troupe::Methods<&Room::join, &Room::leave, &Room::say, &Room::plan,
                                  &Room::announce, &Room::forget, &Room::typing, &Room::stop_typing,
                                  troupe::interleave<&Room::who_types>, &Room::history>;

 private:
  void tell(Line line) {
    for (const std::string& member : state.members) {
      if (member != line.from) actor<User>(member).send<&User::receive>(line);
    }
    state.history.push_back(std::move(line));
    if (state.history.size() > kHistoryMax) state.history.pop_front();
  }

  std::string typing_;
};
