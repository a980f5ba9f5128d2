#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

/// The two ends of a call over a completion queue, in the shape of gRPC's reactors.
///
/// Its reactors run on threads that the whole process shares; here the node says which thread takes
/// what ends: see QueueThreads.
namespace troupe::transport {

/// An operation that gRPC works on.
class Operation {
 public:
  virtual ~Operation() = default;

  /// What it is begun with: its address. What was done before is seen by ended(), whatever gRPC's
  /// queues do, and where sanitizers see it.
  void* tag() {
    handed_over_.store(true, std::memory_order_release);
    return this;
  }
  static void end(void* tag, bool ok) {
    auto* const operation = static_cast<Operation*>(tag);
    static_cast<void>(operation->handed_over_.load(std::memory_order_acquire));
    operation->ended(ok);
  }

 protected:
  virtual void ended(bool ok) = 0;

 private:
  std::atomic<bool> handed_over_{false};
};

/// Hands what ends to its operation until the queue, which is shutting down, is empty.
void drain(grpc::CompletionQueue& queue);

/// Counts what a call still waits for, and calls `Owner::over()` after the last of it. Each
/// operation tells its end to `kEnded` of its owner.
template <class Owner, void (Owner::*kEnded)(bool ok)>
class OperationOf final : public Operation {
 public:
  explicit OperationOf(Owner& owner) : owner_(owner) {}

 private:
  void ended(bool ok) override {
    (owner_.*kEnded)(ok);
    owner_.release();
  }

  Owner& owner_;
};

/// A bidirectional call that this node began. Its callbacks run one after another on the thread
/// that serves the queue; what it is told may come from any thread, one write and one read at a
/// time.
class OutgoingCall {
 public:
  virtual ~OutgoingCall() = default;
  OutgoingCall(const OutgoingCall&) = delete;
  OutgoingCall& operator=(const OutgoingCall&) = delete;

 protected:
  OutgoingCall() = default;

  /// Begins with `first` and the first read. `queue` and what is written or read into live until
  /// on_done(). It ends when a read fails and hold_ends() has been called.
  void start(const std::shared_ptr<grpc::Channel>& channel, const char* method,
             grpc::CompletionQueue& queue, grpc::ByteBuffer& in, grpc::ByteBuffer& first);
  void read(grpc::ByteBuffer& in);
  void write(const grpc::ByteBuffer& out);
  void writes_end();
  /// Nothing is begun after it but from within callbacks.
  void hold_ends() { release(); }
  void cancel_call() { context_.TryCancel(); }

  virtual void on_read(bool ok) = 0;
  virtual void on_written(bool ok) = 0;
  /// Last: nothing is under way any more.
  virtual void on_done(const grpc::Status& status) = 0;

 private:
  template <class Owner, void (Owner::*)(bool)>
  friend class OperationOf;

  void begin() { waits_for_.fetch_add(1, std::memory_order_relaxed); }
  void release();
  void started(bool ok);
  void has_read(bool ok);
  void has_written(bool ok) { on_written(ok); }
  void finished(bool /*ok*/) {}

  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  grpc::ByteBuffer* in_ = nullptr;
  grpc::ByteBuffer* first_ = nullptr;
  grpc::Status status_;
  std::atomic<int> waits_for_{1};  // the hold
  OperationOf<OutgoingCall, &OutgoingCall::started> start_{*this};
  OperationOf<OutgoingCall, &OutgoingCall::has_read> read_{*this};
  OperationOf<OutgoingCall, &OutgoingCall::has_written> write_{*this};
  OperationOf<OutgoingCall, &OutgoingCall::finished> writes_end_{*this};
  OperationOf<OutgoingCall, &OutgoingCall::finished> finish_{*this};
};

class IncomingCall;

/// What a peer began, as gRPC gives it: lives as long as the call.
struct Accepted final : Operation {
  Accepted() { context.AsyncNotifyWhenDone(tag()); }
  void ended(bool ok) override;

  grpc::GenericServerContext context;
  grpc::GenericServerAsyncReaderWriter stream{&context};
  IncomingCall* call = nullptr;
};

/// A call that a peer began. As OutgoingCall; finish() must be called once, sooner or later.
class IncomingCall {
 public:
  virtual ~IncomingCall() = default;
  IncomingCall(const IncomingCall&) = delete;
  IncomingCall& operator=(const IncomingCall&) = delete;

 protected:
  explicit IncomingCall(std::unique_ptr<Accepted> accepted) : accepted_(std::move(accepted)) {
    accepted_->call = this;
  }

  void read(grpc::ByteBuffer& in);
  void write(const grpc::ByteBuffer& out);
  void finish(const grpc::Status& status);
  void write_and_finish(const grpc::ByteBuffer& out);
  /// Until on_done().
  grpc::GenericServerContext& context() { return accepted_->context; }

  virtual void on_read(bool ok) = 0;
  /// It is finished, or the peer does not want it any more, or cannot be reached.
  virtual void on_gone() {}
  virtual void on_done() = 0;

 private:
  friend struct Accepted;
  template <class Owner, void (Owner::*)(bool)>
  friend class OperationOf;

  void begin() { waits_for_.fetch_add(1, std::memory_order_relaxed); }
  void release();
  void has_read(bool ok) { on_read(ok); }
  void has_written(bool /*ok*/) {}

  const std::unique_ptr<Accepted> accepted_;
  std::atomic<int> waits_for_{2};  // for finish(), and the end of the call
  OperationOf<IncomingCall, &IncomingCall::has_read> read_{*this};
  OperationOf<IncomingCall, &IncomingCall::has_written> write_{*this};
  OperationOf<IncomingCall, &IncomingCall::has_written> finish_{*this};
};

}  // namespace troupe::transport
