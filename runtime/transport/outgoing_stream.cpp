#include "runtime/transport/outgoing_stream.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/slice.h>

#include "runtime/base/guarded.h"
#include "runtime/transport/wire.h"

namespace troupe::transport {
namespace {

using Reactor = grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

// After so many batches of one frame each, the next is written by its sender: waking another thread
// gains nothing then. Below, the writer's wake-up is the time in which frames gather.
constexpr int kLonelyBatches = 16;

// What to do once the lock is released. Only who set `writing`, or cleared `held`, acts on it, so
// that no two threads write and nothing is begun after the hold is gone.
enum class Next : std::uint8_t { kNothing, kWrite, kWriteSoon, kLetGo, kFinish };

class Stream final : public OutgoingStream,
                     public Reactor,
                     public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<grpc::Channel> channel, BatchQueue::Limits limits, Executor& writer,
         TransportMetrics& metrics, LiveCount& live, Events events)
      : channel_(std::move(channel)),
        stub_(channel_),
        writer_(writer),
        metrics_(metrics),
        live_(live),
        events_(std::move(events)),
        state_(State{BatchQueue(limits)}) {}

  void start(const Greeting& greeting, std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    live_.add();
    stub_.PrepareBidiStreamingCall(&context_, kStreamMethod, {}, this);
    AddHold();  // writes begin outside of gRPC's callbacks
    out_ = to_buffer(encode(greeting));
    StartRead(&in_);
    StartWrite(&out_);
    StartCall();
  }

  bool send(std::string frame) override {
    Next next = Next::kNothing;
    const bool taken = state_.with([&](State& state) {
      if (state.closing || !state.queue.push(std::move(frame))) return false;
      if (state.writing) return true;
      // Where frames came together lately, more is likely to follow this one at once.
      next = state.lonely < kLonelyBatches ? Next::kWriteSoon : write_next(state);
      state.writing = true;
      return true;
    });
    act(next);
    return taken;
  }

  void finish() override {
    act(state_.with([&](State& state) {
      state.closing = true;
      return state.writing ? Next::kNothing : write_next(state);
    }));
  }

  void cancel() override {
    context_.TryCancel();
    fall_silent();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return fall_silent();  // OnDone brings the reason
    // Peers say nothing but who they are.
    std::optional<Greeting> greeting = decode_greeting(view(contiguous(in_)));
    if (!greeting || greeted_) return cancel();
    greeted_ = true;
    events_.greeted(std::move(*greeting));
    StartRead(&in_);
  }

  void OnWriteDone(bool ok) override {
    const Next next = state_.with([&](State& state) {
      state.writing = false;
      return ok ? write_next(state) : Next::kNothing;
    });
    ok ? act(next) : fall_silent();
  }

  void OnDone(const grpc::Status& status) override {
    const bool refused = status.error_code() == grpc::StatusCode::FAILED_PRECONDITION;
    StreamEnd end{.refused = refused, .reason = status.error_message()};
    if (status.ok()) end.reason = "closed by the peer";
    std::shared_ptr<Stream> self = std::move(self_);
    live_.retire(std::move(self), [this, end = std::move(end)]() mutable {
      events_.ended(std::move(end));
      events_ = {};  // they may hold who holds *this
    });
  }

 private:
  struct State {
    BatchQueue queue;
    bool writing = true;          // or about to; the greeting, to begin with
    int lonely = kLonelyBatches;  // batches of one frame since the last of several
    bool closing = false;
    bool held = true;  // gRPC waits for us
  };

  static Next let_go(State& state, Next next) {
    return std::exchange(state.held, false) ? next : Next::kNothing;
  }

  // Nothing is sent any more.
  void fall_silent() {
    act(state_.with([&](State& state) {
      state.closing = true;
      state.queue.clear();
      return state.writing ? Next::kNothing : let_go(state, Next::kLetGo);
    }));
  }

  // Requires !writing.
  Next write_next(State& state) {
    if (state.queue.empty()) {
      return state.closing ? let_go(state, Next::kFinish) : Next::kNothing;
    }
    batch_ = state.queue.take();
    state.lonely = batch_.frames > 1 ? 0 : std::min(state.lonely + 1, kLonelyBatches);
    state.writing = true;
    return Next::kWrite;
  }

  void act(Next next) {
    if (next == Next::kWrite) return write();
    if (next == Next::kWriteSoon) {
      return writer_.post([self = shared_from_this()] { self->OnWriteDone(true); });
    }
    if (next == Next::kFinish) StartWritesDone();
    if (next != Next::kNothing) RemoveHold();
  }

  void write() {
    TransportMetrics::count(metrics_.batches_sent);
    TransportMetrics::count(metrics_.frames_sent, batch_.frames);
    TransportMetrics::count(metrics_.bytes_sent, batch_.size());
    out_ = to_buffer(std::exchange(batch_, {}));
    StartWrite(&out_);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  Executor& writer_;
  TransportMetrics& metrics_;
  LiveCount& live_;
  Events events_;
  grpc::ByteBuffer in_;
  bool greeted_ = false;
  // Only of who set `writing`.
  Batch batch_;
  grpc::ByteBuffer out_;
  Guarded<State> state_;
  std::shared_ptr<Stream> self_;  // until gRPC is done
};

}  // namespace

std::shared_ptr<OutgoingStream> open_stream(const std::shared_ptr<grpc::Channel>& channel,
                                            const Greeting& greeting, BatchQueue::Limits limits,
                                            Executor& writer, TransportMetrics& metrics,
                                            LiveCount& live, OutgoingStream::Events events) {
  auto stream = std::make_shared<Stream>(channel, limits, writer, metrics, live, std::move(events));
  stream->start(greeting, stream);
  return stream;
}

}  // namespace troupe::transport
