#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/check.h"
#include "runtime/base/random.h"
#include "storage/raft/raft.h"

namespace {

using namespace troupe::raft;

constexpr Address kSelf{.node = {.high = 0, .low = 1}, .replica = {1}};
constexpr Address kOther{.node = {.high = 0, .low = 2}, .replica = {1}};

}  // namespace

// Input: an encoded message. What decodes is encoded to the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto message = decode_message(bytes);
  if (message) {
    const auto again = decode_message(encode(*message));
    troupe::check(again.has_value() && *again == *message, "a message survives the wire");
  }
  if (const auto configuration = decode_configuration(bytes)) {
    troupe::check(*decode_configuration(encode(*configuration)) == *configuration,
                  "a configuration survives the disk");
  }
  if (const auto state = decode_hard_state(bytes)) {
    troupe::check(*decode_hard_state(encode(*state)) == *state, "a vote survives the disk");
  }
  if (!message) return 0;
  // And no message from a peer, however wrong, stops a follower.
  const troupe::Time now{std::chrono::hours(1)};
  troupe::Random random(1);
  const Configuration group{
      {{.address = kSelf, .voter = true}, {.address = kOther, .voter = true}}};
  Raft raft({.self = kSelf}, {.log_start = {.configuration = group}}, random, now);
  message->from = kOther;
  message->to = kSelf;
  for (int turn = 0; turn < 2; ++turn) {
    raft.receive(now, *message);
    for (Ready ready = raft.take_ready(); !ready.empty(); ready = raft.take_ready()) {
      if (ready.ticket != 0) raft.persisted(now, ready.ticket);
    }
  }
  return 0;
}
