#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/network.h"
#include "runtime/cluster/frames.h"
#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe::cluster {

/// Questions between nodes, and their answers.
///
/// Belongs to the node loop: handlers and completions run there. Every question is answered: by the
/// other node, or by its deadline with kTimeout, or with kUnavailable if it could not be sent, or
/// with kUnknownOutcome if the connection broke before the answer.
class Rpc {
 public:
  /// `respond` may be called later, once, on the loop.
  using Handler =
      Function<void(NodeId from, std::string body, Time deadline, Done<std::string> respond)>;

  /// All outlive it.
  /// Questions are numbered from `first_id`, which no earlier process of this node may have come
  /// near: an answer may come for a question that one asked.
  Rpc(NodeId self, std::uint64_t first_id, Clock& clock, Executor& loop, Network& network);

  void serve(Service service, Handler handler);
  /// Asking oneself works like asking another.
  void ask(NodeId to, Service service, std::string body, Duration patience, Done<std::string> done);

  void received(NodeId from, RequestFrame request);
  void received(NodeId from, ResponseFrame response);
  /// It does not answer what it has been asked, for it is gone, or may be: nobody waits on.
  void give_up(NodeId peer, const std::string& why);
  std::size_t waiting() const { return pending_.size(); }

 private:
  struct Pending {
    NodeId to;
    Done<std::string> done;
  };
  static constexpr std::size_t kPendingMax = 100'000;

  void finish(std::uint64_t id, Result<std::string> result);

  NodeId self_;
  Clock& clock_;
  Executor& loop_;
  Network& network_;
  std::map<Service, Handler> handlers_;
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t next_id_;
};

}  // namespace troupe::cluster
