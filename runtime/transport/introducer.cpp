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

namespace troupe::transport {
namespace {

struct Question {
  Question(std::string the_address, std::shared_ptr<grpc::Channel> channel,
           Done<std::string> the_done)
      : address(std::move(the_address)), stub(std::move(channel)), done(std::move(the_done)) {}

  const std::string address;
  grpc::GenericStub stub;
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  Done<std::string> done;
};

Result<std::string> outcome(const Question& question, const grpc::Status& status) {
  if (status.ok()) return decode_answer(view(contiguous(question.response)));
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return fail(Code::kTimeout, "no answer from " + question.address);
  }
  return fail(Code::kUnavailable,
              "no answer from " + question.address + ": " + status.error_message());
}

}  // namespace

struct Introducer::State {
  State(const TransportOptions& the_options, LiveCount& the_live)
      : options(the_options), live(the_live) {}

  struct Open {
    std::set<std::shared_ptr<Question>> questions;
    bool stopped = false;
  };

  const TransportOptions& options;
  LiveCount& live;
  Guarded<Open> open;
};

Introducer::Introducer(const TransportOptions& options, LiveCount& live)
    : state_(std::make_shared<State>(options, live)) {}

Introducer::~Introducer() = default;

void Introducer::ask(const Credentials& credentials, const std::string& address, std::string text,
                     Done<std::string> done) {
  auto question = std::make_shared<Question>(
      address, make_channel(address, credentials, state_->options), std::move(done));
  question->request = to_buffer(std::move(text));
  question->context.set_deadline(gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_millis(milliseconds(state_->options.introduce_timeout), GPR_TIMESPAN)));
  const bool asking = state_->open.with([&](State::Open& open) {
    if (!open.stopped) {
      open.questions.insert(question);
      state_->live.add();
    }
    return !open.stopped;
  });
  if (!asking) return question->done(fail(Code::kUnavailable, "the node is stopping"));
  question->stub.UnaryCall(
      &question->context, kIntroduceMethod, {}, &question->request, &question->response,
      [state = state_, question](const grpc::Status& status) {
        state->open.with([&](State::Open& open) { open.questions.erase(question); });
        question->done(outcome(*question, status));
        state->live.remove();
      });
}

void Introducer::stop() {
  const auto questions = state_->open.with([](State::Open& open) {
    open.stopped = true;
    return open.questions;
  });
  for (const auto& question : questions) question->context.TryCancel();
}

}  // namespace troupe::transport
