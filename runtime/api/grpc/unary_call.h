#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include <grpcpp/support/server_callback.h>

#include "runtime/api/grpc/grpc_status.h"

namespace troupe::api {

/// A unary call at the server, until gRPC is done with it. Ended once, by whoever comes first: its
/// answer or the caller's giving up.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  /// The way to a call that may have ended. Thread-safe.
  class Ending {
   public:
    explicit Ending(UnaryCall* call) : call_(call) {}

    /// The call, for the first who asks, who must finish it; then null. Until it is finished it
    /// lives, and so does its response.
    UnaryCall* take() { return call_.exchange(nullptr); }

   private:
    std::atomic<UnaryCall*> call_;
  };

  UnaryCall() : ending_(std::make_shared<Ending>(this)) {}

  const std::shared_ptr<Ending>& ending() const { return ending_; }

  void OnCancel() override {
    if (ending_->take() != nullptr) Finish({grpc::StatusCode::CANCELLED, "the caller gave up"});
  }
  void OnDone() override { delete this; }

 private:
  const std::shared_ptr<Ending> ending_;
};

/// The right and the duty to answer one call: once, now or later, from any thread, also when the
/// caller has gone. Destroyed unused, it answers UNAVAILABLE. Moved, never copied.
template <class Response>
class Responder {
 public:
  Responder(std::shared_ptr<UnaryCall::Ending> ending, Response* response)
      : ending_(std::move(ending)), response_(response) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) = delete;
  ~Responder() {
    if (ending_) finish({grpc::StatusCode::UNAVAILABLE, "nobody answered this call"});
  }

  /// `fill` writes the response. Not called if the caller has gone.
  template <class Fill>
  void answer(Fill&& fill) {
    UnaryCall* call = std::exchange(ending_, nullptr)->take();
    if (call == nullptr) return;
    std::forward<Fill>(fill)(*response_);
    call->Finish(grpc::Status::OK);
  }
  void nothing() {
    answer([](const Response&) {});
  }
  void error(const ApiError& error) { finish(to_grpc(error)); }
  void finish(const grpc::Status& status) {
    if (UnaryCall* call = std::exchange(ending_, nullptr)->take()) call->Finish(status);
  }

 private:
  std::shared_ptr<UnaryCall::Ending> ending_;  // null once used
  Response* response_;
};

}  // namespace troupe::api
