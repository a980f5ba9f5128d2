#pragma once

#include <future>
#include <memory>
#include <utility>

#include "actors/directory/call_ids.h"
#include "actors/directory/router.h"
#include "runtime/base/clock.h"
#include "runtime/base/deadline.h"
#include <troupe/client.h>

namespace troupe::node {

/// Carries the calls of a Client in the node's own process: no hop for actors of this node.
class ClientRouter final : public ClientTransport {
 public:
  /// All outlive it.
  ClientRouter(Clock& clock, actors::Router& router, actors::CallIds& ids)
      : clock_(clock), router_(router), ids_(ids) {}

  Result<Payload> call(const ClientCall& call) override {
    auto promise = std::make_shared<std::promise<Result<Payload>>>();
    std::future<Result<Payload>> reply = promise->get_future();
    actors::Call routed;
    routed.key = call.target;
    routed.method = call.method;
    routed.message = call.message;
    routed.content_type = call.content_type;
    routed.deadline = after(clock_.now(), call.timeout);
    routed.id = ids_.next();
    routed.done = [promise](Result<actors::Reply> result) {
      if (result) {
        promise->set_value(std::move(result->body));
      } else {
        promise->set_value(fail(result.error()));
      }
    };
    router_.route(std::move(routed));
    return reply.get();
  }

 private:
  Clock& clock_;
  actors::Router& router_;
  actors::CallIds& ids_;
};

}  // namespace troupe::node
