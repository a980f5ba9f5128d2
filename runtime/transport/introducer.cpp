#include "runtime/transport/introducer.h"

#include <set>
#include <utility>

#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include "runtime/base/guarded.h"
#include "runtime/transport/grpc_calls.h"

namespace troupe::transport {
namespace {

// Owns itself until gRPC is done with it.
struct Question final : Operation {
  struct Open {
    std::set<std::shared_ptr<Question>> questions;
    bool stopped = false;
  };

  Question(std::string the_address, std::shared_ptr<grpc::Channel> channel,
           Done<std::string> the_done, LiveCount& the_live, std::shared_ptr<Guarded<Open>> the_open)
      : address(std::move(the_address)),
        stub(std::move(channel)),
        done(std::move(the_done)),
        live(the_live),
        open(std::move(the_open)) {}

  void start(grpc::CompletionQueue& queue, std::shared_ptr<Question> this_one) {
    self = std::move(this_one);
    call = stub.PrepareUnaryCall(&context, kIntroduceMethod, request, &queue);
    call->StartCall();
    call->Finish(&response, &status, tag());
  }

  void ended(bool /*ok*/) override {
    std::shared_ptr<Question> last = std::move(self);
    live.retire(std::move(last), [this] { end(); });
  }

  void end() {
    open->with([&](Open& all) {
      std::erase_if(all.questions, [this](const auto& each) { return each.get() == this; });
    });
    done(outcome());
    done = nullptr;
  }

  Result<std::string> outcome() const {
    if (status.ok()) return decode_answer(view(contiguous(response)));
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      return fail(Code::kTimeout, "no answer from " + address);
    }
    return fail(Code::kUnavailable, "no answer from " + address + ": " + status.error_message());
  }

  const std::string address;
  grpc::GenericStub stub;
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> call;
  Done<std::string> done;
  LiveCount& live;
  const std::shared_ptr<Guarded<Open>> open;
  std::shared_ptr<Question> self;  // until gRPC is done
};

}  // namespace

struct Introducer::State {
  State(const TransportOptions& the_options, LiveCount& the_live)
      : options(the_options), live(the_live) {}

  const TransportOptions& options;
  LiveCount& live;
  grpc::CompletionQueue* queue = nullptr;
  const std::shared_ptr<Guarded<Question::Open>> open = std::make_shared<Guarded<Question::Open>>();
};

Introducer::Introducer(const TransportOptions& options, LiveCount& live)
    : state_(std::make_shared<State>(options, live)) {}

Introducer::~Introducer() = default;

void Introducer::use(grpc::CompletionQueue& queue) { state_->queue = &queue; }

void Introducer::ask(const Credentials& credentials, const std::string& address, std::string text,
                     Done<std::string> done) {
  auto question =
      std::make_shared<Question>(address, make_channel(address, credentials, state_->options),
                                 std::move(done), state_->live, state_->open);
  question->request = to_buffer(std::move(text));
  question->context.set_deadline(gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_millis(milliseconds(state_->options.introduce_timeout), GPR_TIMESPAN)));
  const bool asking = state_->open->with([&](Question::Open& open) {
    if (!open.stopped) {
      open.questions.insert(question);
      state_->live.add();
    }
    return !open.stopped;
  });
  if (!asking) return question->done(fail(Code::kUnavailable, "the node is stopping"));
  question->start(*state_->queue, question);
}

void Introducer::stop() {
  const auto questions = state_->open->with([](Question::Open& open) {
    open.stopped = true;
    return open.questions;
  });
  for (const auto& question : questions) question->context.TryCancel();
}

}  // namespace troupe::transport
