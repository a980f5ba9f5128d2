#include "runtime/transport/outgoing_stream.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <grpcpp/channel.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include "runtime/base/guarded.h"
#include "runtime/transport/grpc_calls.h"
#include "runtime/transport/wire.h"

namespace troupe::transport {
namespace {

// After so many batches of one frame each, the next is written by its sender: waking another thread
// gains nothing then. Below, the writer's wake-up is the time in which frames gather.
constexpr int kLonelyBatches = 16;

// So many gathered frames do not wait for more: while this node does the rest, the other one is at
// work too. Fewer, and packets cost more than their frames.
constexpr std::uint64_t kFramesTogether = 32;

// gRPC has it in words only.
bool says_nobody_listens(const grpc::Status& status) {
  static const std::string refused = std::generic_category().message(ECONNREFUSED);
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         status.error_message().find(refused) != std::string::npos;
}

// What to do once the lock is released. Only who set the phase, or cleared `held`, acts on it, so
// that no two threads write and nothing is begun after the hold is gone.
enum class Next : std::uint8_t { kNothing, kWrite, kWriteSoon, kGather, kLetGo, kFinish };

class Stream final : public OutgoingStream,
                     public OutgoingCall,
                     public std::enable_shared_from_this<Stream> {
 public:
  Stream(const StreamWorld& world, std::shared_ptr<grpc::Channel> channel,
         BatchQueue::Limits limits, Events events)
      : channel_(std::move(channel)),
        batch_bytes_max_(limits.batch_bytes_max),
        writers_(world.writers),
        metrics_(world.metrics),
        live_(world.live),
        events_(std::move(events)),
        state_(State{BatchQueue(limits)}) {}

  void start(grpc::CompletionQueue& queue, const Greeting& greeting, std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    live_.add();
    out_ = to_buffer(encode(greeting));
    OutgoingCall::start(channel_, kStreamMethod, queue, in_, out_);
  }

  bool send(std::string frame, Haste haste) override {
    Next next = Next::kNothing;
    const bool taken = state_.with([&](State& state) {
      if (state.closing || !state.queue.push(std::move(frame))) return false;
      const bool waits = haste == Haste::kSoon && state.queue.bytes() < batch_bytes_max_;
      if (!waits) state.hurries = true;
      if (state.phase == Phase::kWriting) return true;
      if (state.phase == Phase::kGathering && waits) {
        if (enough(state)) next = write_next(state);
        return true;
      }
      next = begin(state);
      return true;
    });
    act(next);
    return taken;
  }

  void finish() override {
    act(state_.with([&](State& state) {
      state.closing = true;
      return state.phase == Phase::kWriting ? Next::kNothing : write_next(state);
    }));
  }

  void cancel() override {
    cancel_call();
    fall_silent();
  }

  void on_read(bool ok) override {
    if (!ok) return fall_silent();  // on_done brings the reason
    // Peers say nothing but who they are.
    std::optional<Greeting> greeting = decode_greeting(view(contiguous(in_)));
    if (!greeting || greeted_) return cancel();
    greeted_ = true;
    events_.greeted(std::move(*greeting));
    read(in_);
  }

  void on_written(bool ok) override {
    const Next next = state_.with([&](State& state) {
      state.phase = Phase::kIdle;
      if (!ok) return Next::kNothing;
      const bool more = gathers(state) && !state.queue.empty() && !enough(state);
      return more ? gather(state) : write_next(state);
    });
    ok ? act(next) : fall_silent();
  }

  void on_done(const grpc::Status& status) override {
    const bool refused = status.error_code() == grpc::StatusCode::FAILED_PRECONDITION;
    StreamEnd end{.refused = refused,
                  .nobody_listens = says_nobody_listens(status),
                  .reason = status.error_message()};
    if (status.ok()) end.reason = "closed by the peer";
    std::shared_ptr<Stream> self = std::move(self_);
    live_.retire(std::move(self), [this, end = std::move(end)]() mutable {
      events_.ended(std::move(end));
      events_ = {};  // they may hold who holds *this
    });
  }

 private:
  enum class Phase : std::uint8_t {
    kIdle,
    kGathering,  // what waits is written when the node has nothing else to do
    kWriting,    // or about to
  };
  struct State {
    BatchQueue queue;
    Phase phase = Phase::kWriting;  // the greeting, to begin with
    bool hurries = false;           // what waits must not wait for more
    int lonely = kLonelyBatches;    // batches of one frame since the last of several
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
      return state.phase == Phase::kWriting ? Next::kNothing : let_go(state, Next::kLetGo);
    }));
  }

  static bool enough(const State& state) { return state.queue.frames() >= kFramesTogether; }

  bool gathers(const State& state) const {
    return writers_.soon && !state.hurries && !state.closing && state.lonely < kLonelyBatches;
  }

  // Where frames came together lately, more is likely to follow at once.
  Next begin(State& state) {
    if (state.lonely >= kLonelyBatches) return write_next(state);
    if (gathers(state)) return gather(state);
    state.phase = Phase::kWriting;
    return Next::kWriteSoon;
  }

  Next gather(State& state) {
    state.phase = Phase::kGathering;
    return Next::kGather;
  }

  // Requires that nobody writes.
  Next write_next(State& state) {
    if (state.queue.empty()) {
      state.phase = Phase::kIdle;
      return state.closing ? let_go(state, Next::kFinish) : Next::kNothing;
    }
    batch_ = state.queue.take();
    if (state.queue.empty()) state.hurries = false;
    state.lonely = batch_.frames > 1 ? 0 : std::min(state.lonely + 1, kLonelyBatches);
    state.phase = Phase::kWriting;
    return Next::kWrite;
  }

  void act(Next next) {
    switch (next) {
      case Next::kNothing:
        return;
      case Next::kWrite:
        return write_batch();
      case Next::kWriteSoon:
        return writers_.now.post([self = shared_from_this()] {
          self->act(self->state_.with([&](State& state) { return self->write_next(state); }));
        });
      case Next::kGather:
        return writers_.soon([self = shared_from_this()] { self->write_gathered(); });
      case Next::kFinish:
        writes_end();
        return hold_ends();
      case Next::kLetGo:
        return hold_ends();
    }
  }

  void write_gathered() {
    act(state_.with([&](State& state) {
      return state.phase == Phase::kGathering ? write_next(state) : Next::kNothing;
    }));
  }

  void write_batch() {
    TransportMetrics::count(metrics_.batches_sent);
    TransportMetrics::count(metrics_.frames_sent, batch_.frames);
    TransportMetrics::count(metrics_.bytes_sent, batch_.size());
    out_ = to_buffer(std::exchange(batch_, {}));
    write(out_);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::size_t batch_bytes_max_;
  const Writers writers_;
  TransportMetrics& metrics_;
  LiveCount& live_;
  Events events_;
  grpc::ByteBuffer in_;
  bool greeted_ = false;
  // Only of who set the phase to writing.
  Batch batch_;
  grpc::ByteBuffer out_;
  Guarded<State> state_;
  std::shared_ptr<Stream> self_;  // until gRPC is done
};

}  // namespace

std::shared_ptr<OutgoingStream> open_stream(const StreamWorld& world,
                                            const std::shared_ptr<grpc::Channel>& channel,
                                            const Greeting& greeting, BatchQueue::Limits limits,
                                            OutgoingStream::Events events) {
  auto stream = std::make_shared<Stream>(world, channel, limits, std::move(events));
  stream->start(world.queue, greeting, stream);
  return stream;
}

}  // namespace troupe::transport
