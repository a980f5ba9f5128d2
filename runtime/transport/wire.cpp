#include "runtime/transport/wire.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>
#include <vector>

#include <absl/synchronization/mutex.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/slice.h>

#include "runtime/base/codec.h"

namespace troupe::transport {
namespace {

using Held = std::shared_ptr<const std::string>;

void release(void* held) { delete static_cast<Held*>(held); }

// gRPC only reads the bytes of a slice that is sent, though its interface does not say so.
grpc::Slice refer(Held held, std::size_t offset, std::size_t length) {
  char* bytes = const_cast<char*>(held->data()) + offset;
  return {bytes, length, release, new Held(std::move(held))};
}

}  // namespace

void keep_grpc() {
  static const bool kept = [] {
    // It writes a line to stderr for every connection that fails; here each is counted, and told
    // to whoever asked for it. GRPC_VERBOSITY brings the lines back.
    const bool asked_for = std::getenv("GRPC_VERBOSITY") != nullptr;
    if (!asked_for) gpr_set_log_function([](gpr_log_func_args* /*line*/) {});
    // By default all threads of the process that serve a queue wait for whichever of them watches
    // the sockets of all, so that threads of the API, or of another node of the process, are woken
    // for packets that are not theirs.
    ::setenv("GRPC_POLL_STRATEGY", "poll", 0);  // NOLINT(concurrency-mt-unsafe)
    // Debian's build looks for cycles of locks at each of gRPC's locks.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    grpc_init();
    return true;
  }();
  static_cast<void>(kept);
}

int milliseconds(Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

std::string encode_answer(const Result<std::string>& answer) {
  Writer out;
  out.number(answer ? 0 : 1 + static_cast<std::uint64_t>(answer.error().code));
  out.bytes(answer ? *answer : answer.error().message);
  return out.take();
}

Result<std::string> decode_answer(std::string_view bytes) {
  Reader in(bytes);
  const std::uint64_t code = in.number_up_to(1 + static_cast<std::uint64_t>(Code::kInternal));
  std::string text = in.string();
  if (!in.finished()) return fail(Code::kUnavailable, "the answer is damaged");
  if (code != 0) return fail(static_cast<Code>(code - 1), std::move(text));
  return text;
}

grpc::ByteBuffer to_buffer(std::string bytes) {
  const std::size_t size = bytes.size();
  const grpc::Slice slice = refer(std::make_shared<const std::string>(std::move(bytes)), 0, size);
  return {&slice, 1};
}

grpc::ByteBuffer to_buffer(Batch batch) {
  if (!batch.body) return to_buffer(std::move(batch.head));
  const grpc::Slice slices[] = {grpc::Slice(batch.head),
                                refer(std::move(batch.body), batch.offset, batch.length)};
  return {slices, 2};
}

grpc::Slice contiguous(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (buffer.Valid() && !buffer.TrySingleSlice(&slice).ok()) {
    const grpc::Status status = buffer.DumpToSingleSlice(&slice);
    if (!status.ok()) return {};
  }
  return slice;
}

std::string_view view(const grpc::Slice& slice) {
  return {std::bit_cast<const char*>(slice.begin()), slice.size()};
}

Credentials make_credentials(const TransportOptions& options) {
  if (!options.tls) return {grpc::InsecureChannelCredentials(), grpc::InsecureServerCredentials()};
  const TlsIdentity& own = *options.tls;
  grpc::SslCredentialsOptions client;
  client.pem_root_certs = own.authorities;
  client.pem_private_key = own.key;
  client.pem_cert_chain = own.certificate;
  grpc::SslServerCredentialsOptions server(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  server.pem_root_certs = own.authorities;
  server.pem_key_cert_pairs = {{own.key, own.certificate}};
  return {grpc::SslCredentials(client), grpc::SslServerCredentials(server)};
}

std::shared_ptr<grpc::Channel> make_channel(const std::string& address,
                                            const Credentials& credentials,
                                            const TransportOptions& options) {
  grpc::ChannelArguments arguments;
  // A connection is never shared with another channel: its end is the end of its streams.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // a broken stream is opened anew by Links
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(options.keepalive_interval));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(options.keepalive_timeout));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.frame_bytes_max));
  arguments.SetMaxSendMessageSize(-1);
  if (options.tls && !options.tls->name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->name);
  }
  return grpc::CreateCustomChannel(address, credentials.channel, arguments);
}

std::size_t message_bytes_max(const TransportOptions& options) {
  // Introductions are one message each; batches of peers with other settings may be larger.
  return std::max<std::size_t>(4 * options.batch_bytes_max, 4 * 1024 * 1024);
}

}  // namespace troupe::transport
