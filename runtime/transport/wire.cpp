#include "runtime/transport/wire.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include <grpc/grpc.h>
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

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) {
    return fail(Code::kInvalid, "cannot read the TLS file " + path);
  }
  return text.str();
}

}  // namespace

void keep_grpc() {
  static const bool kept = [] {
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
  return {static_cast<const char*>(static_cast<const void*>(slice.begin())), slice.size()};
}

Result<Credentials> make_credentials(const TransportOptions& options) {
  if (!options.tls) {
    return Credentials{grpc::InsecureChannelCredentials(), grpc::InsecureServerCredentials()};
  }
  Result<std::string> ca = read_file(options.tls->ca);
  if (!ca) return fail(ca.error());
  Result<std::string> certificate = read_file(options.tls->certificate);
  if (!certificate) return fail(certificate.error());
  Result<std::string> key = read_file(options.tls->key);
  if (!key) return fail(key.error());

  grpc::SslCredentialsOptions client;
  client.pem_root_certs = *ca;
  client.pem_private_key = *key;
  client.pem_cert_chain = *certificate;
  grpc::SslServerCredentialsOptions server(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  server.pem_root_certs = *ca;
  server.pem_key_cert_pairs = {{*key, *certificate}};
  return Credentials{grpc::SslCredentials(client), grpc::SslServerCredentials(server)};
}

std::shared_ptr<grpc::Channel> make_channel(const std::string& address,
                                            const Credentials& credentials,
                                            const TransportOptions& options) {
  grpc::ChannelArguments arguments;
  // A connection is never shared with another channel: its end is the end of its streams.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
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
