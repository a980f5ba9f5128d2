#include "runtime/transport/peer_server.h"

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include "runtime/base/check.h"
#include "runtime/base/guarded.h"
#include "runtime/transport/batch.h"
#include "runtime/transport/grpc_calls.h"
#include "runtime/transport/live_count.h"
#include "runtime/transport/queue_threads.h"

namespace troupe::transport {
namespace {

using Context = grpc::GenericServerContext;

constexpr std::size_t kComplaintsMax = 64;
constexpr int kStreamsPerConnectionMax = 100;
// gRPC ends what is cancelled at once; waiting longer would hide a bug.
constexpr Duration kCancelPatience = std::chrono::seconds(30);

class IncomingStream;

// Reflection adds itself to every server of the process; it belongs to the API, not to the peers.
class NothingElse final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->clear();
  }
};

}  // namespace

struct PeerServer::State final : Operation {
  explicit State(const Dependencies& dependencies)
      : host(dependencies.host),
        listener(dependencies.listener),
        log(dependencies.log),
        metrics(dependencies.metrics),
        watch(dependencies.undertaker),
        live(dependencies.undertaker),
        threads(dependencies.clock, *watch, listener) {}

  void accept_next();
  // A call was accepted, or none is any more.
  void ended(bool ok) override;
  void begin(std::unique_ptr<Accepted> call);

  void refuse(const Greeting& stranger, const std::string& from, const std::string& reason) {
    TransportMetrics::count(metrics.strangers_refused);
    const bool first = complaints.with([&](std::set<std::string>& said) {
      if (said.size() >= kComplaintsMax) said.clear();
      return said.insert(to_string(stranger.hello.node) + reason).second;
    });
    if (!first) return;
    log.warning("a stranger was refused",
                {{"from", from}, {"address", stranger.address}, {"reason", reason}});
  }

  Host& host;
  NetworkListener& listener;
  const Log log;
  TransportMetrics& metrics;
  const std::shared_ptr<Executor> watch;
  LiveCount live;
  QueueThreads threads;
  std::size_t frame_bytes_max = 0;
  Duration accept_timeout = {};
  std::unique_ptr<grpc::AsyncGenericService> service;  // of one server only
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<Accepted> next;  // the next call, when it comes
  using Streams = std::map<std::pair<NodeId, Lane>, std::shared_ptr<IncomingStream>>;
  Guarded<Streams> streams;
  Guarded<std::set<std::string>> complaints;
};

namespace {

// A stream that a peer opened: its greeting, then batches. There is always a read under way, so
// that a broken or cancelled stream is noticed as the end of reading.
class IncomingStream final : public IncomingCall,
                             public std::enable_shared_from_this<IncomingStream> {
 public:
  IncomingStream(PeerServer::State& server, std::unique_ptr<Accepted> call)
      : IncomingCall(std::move(call)),
        server_(server),
        context_(&context()),
        from_(context().peer()),
        frames_(server.frame_bytes_max),
        receive_([this](std::string_view frame) {
          ++received_;
          server_.listener.received(peer_.hello.node, frame);
        }) {}

  void start(std::shared_ptr<IncomingStream> self) {
    self_ = std::move(self);
    read(in_);
    server_.host.later(server_.accept_timeout, [weak = weak_from_this()] {
      const std::shared_ptr<IncomingStream> silent = weak.lock();
      if (silent && !silent->greeted_) silent->cancel();
    });
  }

  void cancel() {
    context_.with([](Context* context) {
      if (context != nullptr) context->TryCancel();
    });
  }

  void on_read(bool ok) override {
    if (!ok) return finish(grpc::Status::OK);
    const grpc::Slice bytes = contiguous(in_);
    in_.Clear();
    greeted_ ? take_batch(view(bytes)) : greet(view(bytes));
  }

  void on_done() override {
    context_.with([](Context*& context) { context = nullptr; });
    std::shared_ptr<IncomingStream> self = std::move(self_);
    leave_place(self);
    server_.live.retire(std::move(self), [] {});
  }

 private:
  void leave_place(const std::shared_ptr<IncomingStream>& self) {
    if (!greeted_) return;
    const bool current = server_.streams.with([&](auto& streams) {
      const auto found = streams.find({peer_.hello.node, peer_.lane});
      if (found == streams.end() || found->second != self) return false;
      streams.erase(found);
      return true;
    });
    if (current) server_.host.incoming_lost(peer_.hello.node, peer_.lane);
  }

  void greet(std::string_view bytes) {
    std::optional<Greeting> peer = decode_greeting(bytes);
    if (!peer) {
      return finish({grpc::StatusCode::INVALID_ARGUMENT, "this is no greeting of a node"});
    }
    const Greeting own = server_.host.greeting(peer->lane, {});
    std::optional<std::string> reason = refusal(own, *peer);
    if (!reason) reason = server_.host.outdated(*peer);
    if (reason) {
      server_.refuse(*peer, from_, *reason);
      return finish({grpc::StatusCode::FAILED_PRECONDITION, *reason});
    }
    peer_ = std::move(*peer);
    greeted_ = true;
    settle_in();
    out_ = to_buffer(encode(own));
    write(out_);
    read(in_);
  }

  // Takes the place of an older stream, whose end has perhaps not been noticed yet.
  void settle_in() {
    const std::pair place(peer_.hello.node, peer_.lane);
    const std::shared_ptr<IncomingStream> older =
        server_.streams.with([&](auto& streams) { return std::exchange(streams[place], self_); });
    if (older) {
      server_.host.incoming_lost(place.first, place.second);
      older->cancel();
    }
    server_.host.incoming_began(peer_);
  }

  void take_batch(std::string_view bytes) {
    TransportMetrics::count(server_.metrics.batches_received);
    TransportMetrics::count(server_.metrics.bytes_received, bytes.size());
    received_ = 0;
    const Result<void> fed = frames_.feed(bytes, receive_);
    TransportMetrics::count(server_.metrics.frames_received, received_);
    if (fed) return read(in_);
    server_.log.warning("a peer sent damaged bytes",
                        {{"node", short_name(peer_.hello.node)}, {"error", fed.error().message}});
    finish({grpc::StatusCode::INVALID_ARGUMENT, fed.error().message});
  }

  PeerServer::State& server_;
  Guarded<Context*> context_;  // null once the call is over
  const std::string from_;
  Greeting peer_;
  std::atomic<bool> greeted_ = false;  // changed by reads only
  FrameAssembler frames_;
  std::uint64_t received_ = 0;  // of the batch at hand
  Function<void(std::string_view)> receive_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  std::shared_ptr<IncomingStream> self_;  // until gRPC is done
};

class Introduction;

// The way back to an asker, for whoever takes it first.
class WayBack {
 public:
  explicit WayBack(Introduction* introduction) : introduction_(introduction) {}
  Introduction* take() { return introduction_.exchange(nullptr); }
  void note_question() { asked_ = true; }
  bool asked() const { return asked_; }

 private:
  std::atomic<Introduction*> introduction_;
  std::atomic<bool> asked_ = false;
};

// What the listener answers with. If it drops the answer unsaid, the asker hears that.
class Answer {
 public:
  explicit Answer(std::shared_ptr<WayBack> back) : back_(std::move(back)) {}
  ~Answer() { give(fail(Code::kUnavailable, "the node gave no answer")); }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void give(const Result<std::string>& result);

 private:
  const std::shared_ptr<WayBack> back_;
};

// One question and its answer. Whoever takes the way back finishes the call, so it is finished
// once.
class Introduction final : public IncomingCall {
 public:
  Introduction(PeerServer::State& server, std::unique_ptr<Accepted> call)
      : IncomingCall(std::move(call)),
        live_(server.live),
        listener_(server.listener),
        back_(std::make_shared<WayBack>(this)) {
    read(in_);
    server.host.later(server.accept_timeout, [back = back_] {
      Introduction* silent = back->asked() ? nullptr : back->take();
      if (silent != nullptr) silent->break_off();
    });
  }

  void on_read(bool ok) override {
    if (!ok) return give_up();
    back_->note_question();
    auto answer = std::make_unique<Answer>(back_);
    // The call may end, and *this with it, as soon as it is answered.
    listener_.introduced(
        std::string(view(contiguous(in_))),
        [answer = std::move(answer)](const Result<std::string>& result) { answer->give(result); });
  }

  void on_gone() override { give_up(); }
  void on_done() override {
    live_.retire(std::shared_ptr<Introduction>(this), [] {});
  }

  void answer(const Result<std::string>& result) {
    out_ = to_buffer(encode_answer(result));
    write_and_finish(out_);
  }

  void break_off() { finish({grpc::StatusCode::DEADLINE_EXCEEDED, "no question came"}); }

 private:
  void give_up() {
    if (back_->take() != nullptr) finish({grpc::StatusCode::CANCELLED, "the asker has gone"});
  }

  LiveCount& live_;
  NetworkListener& listener_;
  const std::shared_ptr<WayBack> back_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
};

void Answer::give(const Result<std::string>& result) {
  if (Introduction* introduction = back_->take()) introduction->answer(result);
}

class Unknown final : public IncomingCall {
 public:
  Unknown(PeerServer::State& server, std::unique_ptr<Accepted> call)
      : IncomingCall(std::move(call)), live_(server.live) {
    finish({grpc::StatusCode::UNIMPLEMENTED, "nodes know no such method"});
  }
  void on_read(bool /*ok*/) override {}
  void on_done() override {
    live_.retire(std::shared_ptr<Unknown>(this), [] {});
  }

 private:
  LiveCount& live_;
};

}  // namespace

// It counts as live from now on, before anybody comes: or a stop could overlook who has just come.
void PeerServer::State::accept_next() {
  live.add();
  next = std::make_unique<Accepted>();
  service->RequestCall(&next->context, &next->stream, queue.get(), queue.get(), tag());
}

void PeerServer::State::ended(bool ok) {
  std::unique_ptr<Accepted> call = std::move(next);
  if (!ok) return live.retire(std::shared_ptr<Accepted>(std::move(call)), [] {});
  accept_next();
  begin(std::move(call));
}

// Calls own themselves until they are over.
void PeerServer::State::begin(std::unique_ptr<Accepted> call) {
  const std::string& method = call->context.method();
  if (method == kStreamMethod) {
    auto stream = std::make_shared<IncomingStream>(*this, std::move(call));
    stream->start(stream);
  } else if (method == kIntroduceMethod) {
    new Introduction(*this, std::move(call));
  } else {
    new Unknown(*this, std::move(call));
  }
}

PeerServer::PeerServer(const Dependencies& dependencies)
    : state_(std::make_shared<State>(dependencies)) {}

PeerServer::~PeerServer() { stop(); }

Result<std::uint16_t> PeerServer::start(const net::SocketAddress& at,
                                        const Credentials& credentials,
                                        const TransportOptions& options) {
  state_->frame_bytes_max = options.frame_bytes_max;
  state_->accept_timeout = options.accept_timeout;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(to_string(at), credentials.server, &port);
  state_->service = std::make_unique<grpc::AsyncGenericService>();
  builder.RegisterAsyncGenericService(state_->service.get());
  state_->queue = builder.AddCompletionQueue();
  builder.SetOption(std::make_unique<NothingElse>());
  builder.SetMaxReceiveMessageSize(static_cast<int>(message_bytes_max(options)));
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a taken port is an error
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             milliseconds(options.accept_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(options.keepalive_interval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             milliseconds(options.keepalive_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);  // peers ping as they please
  state_->server = builder.BuildAndStart();
  if (!state_->server || port == 0) {
    state_->queue->Shutdown();
    drain(*state_->queue);
    return fail(Code::kUnavailable, "cannot listen on " + to_string(at));
  }
  return static_cast<std::uint16_t>(port);
}

grpc::CompletionQueue& PeerServer::queue() { return *state_->queue; }

void PeerServer::accept() {
  state_->accept_next();
  state_->threads.start(*state_->queue);
}

void PeerServer::stop() {
  if (!state_->server) return;
  state_->server->Shutdown(std::chrono::system_clock::time_point{});
  check(state_->live.wait(kCancelPatience), "cancelled calls end");
  state_->queue->Shutdown();
  state_->threads.stop();
  state_->server.reset();
}

}  // namespace troupe::transport
