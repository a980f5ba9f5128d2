#include <string>
#include <string_view>

#include <troupe/message.h>

namespace troupe::detail {

Result<std::string_view> open_state(std::string_view stored, StateFormat wanted) {
  if (stored.empty()) return fail(Code::kDataLoss, "a state of no bytes, not even its format");
  const auto format = static_cast<StateFormat>(stored.front());
  if (format == wanted) return stored.substr(1);
  if (format == StateFormat::kProtobuf) {
    return fail(Code::kUnimplemented, "the state is stored as protobuf, which is not read here");
  }
  if (format == StateFormat::kJson) {
    return fail(Code::kInvalid, "the state is stored as JSON, and the actor's state is Bytes");
  }
  if (format == StateFormat::kBytes) {
    return fail(Code::kInvalid, "the state is stored as bytes, and the actor's state is a struct");
  }
  return fail(Code::kDataLoss, "a state of the unknown format " +
                                   std::to_string(static_cast<unsigned char>(stored.front())));
}

}  // namespace troupe::detail
