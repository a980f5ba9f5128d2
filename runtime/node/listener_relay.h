#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/network.h"

namespace troupe::node {

/// Network and cluster need each other; the network is built first, and speaks through this.
/// Before and after, it answers for nobody.
class ListenerRelay final : public NetworkListener {
 public:
  void forward_to(NetworkListener* listener) { to_.store(listener, std::memory_order_release); }

  Hello hello() const override { return to() != nullptr ? to()->hello() : Hello{}; }
  void connected(const Hello& peer) override {
    if (to() != nullptr) to()->connected(peer);
  }
  void disconnected(NodeId peer) override {
    if (to() != nullptr) to()->disconnected(peer);
  }
  void nobody_listens(NodeId peer) override {
    if (to() != nullptr) to()->nobody_listens(peer);
  }
  void received(NodeId from, std::string_view frame) override {
    if (to() != nullptr) to()->received(from, frame);
  }
  void work_begins() override {
    if (to() != nullptr) to()->work_begins();
  }
  bool work_ends(bool may_stay) override { return to() != nullptr && to()->work_ends(may_stay); }
  void introduced(std::string question, Done<std::string> respond) override {
    if (to() != nullptr) return to()->introduced(std::move(question), std::move(respond));
    respond(fail(Code::kUnavailable, "this node is starting"));
  }
  void received_datagram(const std::string& from, std::string_view bytes) override {
    if (to() != nullptr) to()->received_datagram(from, bytes);
  }

 private:
  NetworkListener* to() const { return to_.load(std::memory_order_acquire); }

  std::atomic<NetworkListener*> to_{nullptr};
};

}  // namespace troupe::node
