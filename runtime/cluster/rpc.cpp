#include "runtime/cluster/rpc.h"

#include <utility>
#include <vector>

namespace troupe::cluster {

Rpc::Rpc(NodeId self, std::uint64_t first_id, Clock& clock, Executor& loop, Network& network)
    : self_(self), clock_(clock), loop_(loop), network_(network), next_id_(first_id) {}

void Rpc::serve(Service service, Handler handler) {
  handlers_.insert_or_assign(service, std::move(handler));
}

void Rpc::ask(NodeId to, Service service, std::string body, Duration patience,
              Done<std::string> done) {
  if (pending_.size() >= kPendingMax) {
    return done(fail(Code::kExhausted, "too many questions wait for other nodes"));
  }
  const std::uint64_t id = next_id_++;
  pending_.emplace(id, Pending{.to = to, .done = std::move(done)});
  loop_.post_at(clock_.now() + patience, [this, id] {
    finish(id, fail(Code::kTimeout, "no answer in time from another node"));
  });
  RequestFrame request{
      .id = id, .service = service, .time_left = patience, .body = std::move(body)};
  if (to == self_) {
    return loop_.post(
        [this, request = std::move(request)]() mutable { received(self_, std::move(request)); });
  }
  if (!network_.send(to, Lane::kControl, encode(Frame(std::move(request)), clock_.now()))) {
    loop_.post([this, id, to] {
      finish(id, fail(Code::kUnavailable, "node " + short_name(to) + " is not connected"));
    });
  }
}

void Rpc::received(NodeId from, RequestFrame request) {
  Done<std::string> respond = [this, from, id = request.id](Result<std::string> result) {
    ResponseFrame response{.id = id, .result = std::move(result)};
    if (from == self_) {
      return loop_.post([this, response = std::move(response)]() mutable {
        received(self_, std::move(response));
      });
    }
    // An answer that cannot be sent is a question that times out.
    static_cast<void>(
        network_.send(from, Lane::kControl, encode(Frame(std::move(response)), clock_.now())));
  };
  const auto handler = handlers_.find(request.service);
  if (handler == handlers_.end()) {
    return respond(fail(Code::kUnimplemented, "this node does not answer such questions"));
  }
  handler->second(from, std::move(request.body), clock_.now() + request.time_left,
                  std::move(respond));
}

void Rpc::received(NodeId from, ResponseFrame response) {
  const auto pending = pending_.find(response.id);
  if (pending == pending_.end() || pending->second.to != from) return;
  finish(response.id, std::move(response.result));
}

void Rpc::give_up(NodeId peer, const std::string& why) {
  std::vector<std::uint64_t> lost;
  for (const auto& [id, pending] : pending_) {
    if (pending.to == peer) lost.push_back(id);
  }
  for (const std::uint64_t id : lost) {
    finish(id, fail(Code::kUnknownOutcome, "node " + short_name(peer) + " did not answer: " + why));
  }
}

void Rpc::finish(std::uint64_t id, Result<std::string> result) {
  const auto pending = pending_.find(id);
  if (pending == pending_.end()) return;
  Done<std::string> done = std::move(pending->second.done);
  pending_.erase(pending);
  done(std::move(result));
}

}  // namespace troupe::cluster
