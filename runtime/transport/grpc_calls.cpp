#include "runtime/transport/grpc_calls.h"

#include <utility>

#include <grpcpp/channel.h>

namespace troupe::transport {

void drain(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) Operation::end(tag, ok);
}

void OutgoingCall::start(const std::shared_ptr<grpc::Channel>& channel, const char* method,
                         grpc::CompletionQueue& queue, grpc::ByteBuffer& in,
                         grpc::ByteBuffer& first) {
  stub_ = std::make_unique<grpc::GenericStub>(channel);
  in_ = &in;
  first_ = &first;
  begin();
  call_ = stub_->PrepareCall(&context_, method, &queue);
  call_->StartCall(start_.tag());
}

// Whatever became of it: the first read tells.
void OutgoingCall::started(bool /*ok*/) {
  write(*first_);
  read(*in_);
}

void OutgoingCall::read(grpc::ByteBuffer& in) {
  begin();
  call_->Read(&in, read_.tag());
}

void OutgoingCall::write(const grpc::ByteBuffer& out) {
  begin();
  call_->Write(out, write_.tag());
}

void OutgoingCall::writes_end() {
  begin();
  call_->WritesDone(writes_end_.tag());
}

void OutgoingCall::has_read(bool ok) {
  if (!ok) {
    begin();
    call_->Finish(&status_, finish_.tag());
  }
  on_read(ok);
}

void OutgoingCall::release() {
  if (waits_for_.fetch_sub(1, std::memory_order_acq_rel) == 1) on_done(status_);
}

void Accepted::ended(bool /*ok*/) {
  call->on_gone();
  call->release();
}

void IncomingCall::read(grpc::ByteBuffer& in) {
  begin();
  accepted_->stream.Read(&in, read_.tag());
}

void IncomingCall::write(const grpc::ByteBuffer& out) {
  begin();
  accepted_->stream.Write(out, write_.tag());
}

void IncomingCall::finish(const grpc::Status& status) {
  accepted_->stream.Finish(status, finish_.tag());
}

void IncomingCall::write_and_finish(const grpc::ByteBuffer& out) {
  accepted_->stream.WriteAndFinish(out, {}, grpc::Status::OK, finish_.tag());
}

void IncomingCall::release() {
  if (waits_for_.fetch_sub(1, std::memory_order_acq_rel) == 1) on_done();
}

}  // namespace troupe::transport
