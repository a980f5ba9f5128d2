#include "runtime/cluster/state_machine.h"

#include <optional>
#include <string>
#include <utility>

namespace troupe::cluster {

ShardStateMachine::ShardStateMachine(storage::ReplicaKeys keys, std::uint32_t shard_count,
                                     const storage::Reads& reads)
    : machine_(keys.shard(), keys.replica(), shard_count, reads) {}

Result<storage::Outcome> ShardStateMachine::apply(std::uint64_t index, std::uint64_t term,
                                                  std::string_view entry, storage::Batch& out) {
  Result<storage::Entry> decoded = storage::decode_entry(entry);
  if (!decoded) return fail(decoded.error());
  return machine_.apply(index, term, *decoded, out);
}

MetaStateMachine::MetaStateMachine(storage::ReplicaKeys keys, const storage::Reads& reads)
    : key_(keys.data_prefix() + "meta"), reads_(reads) {}

Result<void> MetaStateMachine::load() {
  Result<std::optional<std::string>> stored = reads_.get(key_);
  if (!stored) return fail(stored.error());
  return machine_.load(*stored ? std::string_view(**stored) : std::string_view());
}

Result<storage::Outcome> MetaStateMachine::apply(std::uint64_t index, std::uint64_t /*term*/,
                                                 std::string_view entry, storage::Batch& out) {
  const Result<MetaCommand> command = decode_meta_command(entry);
  if (!command) return fail(command.error());
  storage::Outcome outcome = machine_.apply(index, *command);
  out.put(key_, machine_.stored());
  return outcome;
}

}  // namespace troupe::cluster
