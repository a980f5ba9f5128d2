#pragma once

#include <memory>
#include <string>

#include "runtime/transport/batch.h"
#include "runtime/transport/transport_options.h"
#include <troupe/result.h>

namespace grpc {
class ByteBuffer;
class Channel;
class ChannelCredentials;
class CompletionQueue;
class ServerCredentials;
class Slice;
}  // namespace grpc

namespace troupe::transport {

// The methods of the service. Their messages are bytes of our own, see README.md.
inline constexpr const char* kStreamMethod = "/troupe.peer.v1.Peer/Stream";
inline constexpr const char* kIntroduceMethod = "/troupe.peer.v1.Peer/Introduce";

// What a stream may have on its way unread. Fixed: gRPC's search for a good size costs a ping for
// nearly every batch.
inline constexpr int kWindowBytes = 4 * 1024 * 1024;

/// Keeps gRPC's library up for the rest of the process, so that it is not torn down and set up
/// again between one channel and the next.
void keep_grpc();

/// Refers to the bytes, does not copy them.
grpc::ByteBuffer to_buffer(Batch batch);
grpc::ByteBuffer to_buffer(std::string bytes);

/// The bytes of `buffer` in one piece, copied only if they came in several.
grpc::Slice contiguous(const grpc::ByteBuffer& buffer);
std::string_view view(const grpc::Slice& slice);

/// What both sides show one another: certificates, or nothing.
struct Credentials {
  std::shared_ptr<grpc::ChannelCredentials> channel;
  std::shared_ptr<grpc::ServerCredentials> server;
};
Credentials make_credentials(const TransportOptions& options);

/// A connection of its own to `address`, which is not made before its first use.
std::shared_ptr<grpc::Channel> make_channel(const std::string& address,
                                            const Credentials& credentials,
                                            const TransportOptions& options);

/// What a node answers when it is asked to introduce itself: the bytes, or an error.
std::string encode_answer(const Result<std::string>& answer);
Result<std::string> decode_answer(std::string_view bytes);

/// In whole milliseconds, as gRPC wants it.
int milliseconds(Duration duration);

/// The largest message of a stream that is read.
std::size_t message_bytes_max(const TransportOptions& options);

}  // namespace troupe::transport
