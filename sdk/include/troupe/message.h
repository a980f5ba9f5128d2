#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <troupe/bytes.h>
#include <troupe/json.h>
#include <troupe/payload.h>
#include <troupe/result.h>

namespace troupe {

/// How a value of type `T` travels as a whole message: arguments and replies of methods. This one:
/// as JSON. Bytes and Payload travel as they are; `void`, no message, as no bytes. Specialise it
/// for a type that has a format of its own (with the same three members).
template <class T>
struct MessageCodec {
  static constexpr std::string_view kContentType = "application/json";

  static Result<Payload> encode(const T& message) {
    Result<std::string> text = try_to_json(message);
    if (!text) return fail(text.error());
    return Payload(std::move(*text));
  }
  static Result<T> decode(const Payload& payload) { return from_json<T>(payload.view()); }
};

template <>
struct MessageCodec<Bytes> {
  static constexpr std::string_view kContentType = "application/octet-stream";

  static Result<Payload> encode(const Bytes& message) { return Payload(message.data); }
  static Result<Bytes> decode(const Payload& payload) { return Bytes{std::string(payload.view())}; }
};

template <>
struct MessageCodec<Payload> {
  static constexpr std::string_view kContentType = "application/octet-stream";

  static Result<Payload> encode(const Payload& message) { return message; }
  static Result<Payload> decode(const Payload& payload) { return payload; }
};

template <>
struct MessageCodec<void> {
  static constexpr std::string_view kContentType{};

  static Result<void> decode(const Payload& payload) {
    const std::string_view text = payload.view();
    if (text.empty() || text == "null" || text == "{}") return {};
    return fail(Code::kInvalid, "expected no message, got " + std::to_string(text.size()) +
                                    " bytes: the method takes no argument");
  }
};

/// The media type of encode_message<T>(): empty for `void`.
template <class T>
constexpr std::string_view content_type() {
  return MessageCodec<T>::kContentType;
}

/// The bytes of a message. Throws std::invalid_argument for what has none (NaN, a string that is
/// not UTF-8); try_encode_message() returns that as an Error of kInvalid.
template <class T>
Result<Payload> try_encode_message(const T& message) {
  return MessageCodec<T>::encode(message);
}
template <class T>
Payload encode_message(const T& message) {
  Result<Payload> payload = try_encode_message(message);
  if (!payload) throw std::invalid_argument(payload.error().message);
  return std::move(*payload);
}

/// The message in `payload`; `decode_message<void>` accepts no bytes, `null` and `{}`. Errors:
/// kInvalid, with the path to what is wrong.
template <class T>
Result<T> decode_message(const Payload& payload) {
  return MessageCodec<T>::decode(payload);
}

/// The first byte of a state: how the others are to be read. Stored, so never renumbered.
enum class StateFormat : unsigned char { kJson = 1, kProtobuf = 2, kBytes = 3 };

namespace detail {
template <class S>
inline constexpr StateFormat state_format = StateFormat::kJson;
template <>
inline constexpr StateFormat state_format<Bytes> = StateFormat::kBytes;

// Checks the first byte, and gives the others.
Result<std::string_view> open_state(std::string_view stored, StateFormat wanted);
}  // namespace detail

/// A state as it is stored: one byte of StateFormat, then JSON, or for Bytes the bytes themselves.
/// Equal states give equal bytes. Throws std::invalid_argument as encode_message() does;
/// try_encode_state() returns that as an Error of kInvalid.
template <class S>
Result<std::string> try_encode_state(const S& state) {
  const char tag = static_cast<char>(detail::state_format<S>);
  if constexpr (detail::state_format<S> == StateFormat::kBytes) {
    return tag + state.data;
  } else {
    JsonWriter out(std::string(1, tag));
    out.write(state);
    return out.finish();
  }
}
template <class S>
std::string encode_state(const S& state) {
  Result<std::string> stored = try_encode_state(state);
  if (!stored) throw std::invalid_argument(stored.error().message);
  return std::move(*stored);
}

/// The state in `stored`. Errors: kDataLoss if the first byte is none of StateFormat's;
/// kUnimplemented for protobuf; kInvalid if the state was stored by a type of another shape.
template <class S>
Result<S> decode_state(std::string_view stored) {
  const Result<std::string_view> encoded = detail::open_state(stored, detail::state_format<S>);
  if (!encoded) return fail(encoded.error());
  if constexpr (detail::state_format<S> == StateFormat::kBytes) {
    return S{std::string(*encoded)};
  } else {
    return from_json<S>(*encoded);
  }
}

}  // namespace troupe
