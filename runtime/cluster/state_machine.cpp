#include "runtime/cluster/state_machine.h"

#include <optional>
#include <string>
#include <utility>

namespace troupe::cluster {

ShardStateMachine::ShardStateMachine(storage::ReplicaKeys keys, std::uint32_t shard_count,
                                     const storage::Reads& reads)
    : machine_(keys, shard_count, reads) {}

Result<storage::Outcome> ShardStateMachine::apply(raft::Term term, raft::Index index,
                                                  std::string_view bytes,
                                                  std::shared_ptr<const storage::Entry>& entry,
                                                  storage::Batch& out) {
  if (entry == nullptr) {
    Result<storage::Entry> decoded = storage::decode_entry(bytes);
    if (!decoded) return fail(decoded.error());
    entry = std::make_shared<const storage::Entry>(*std::move(decoded));
  }
  return machine_.apply(index, term, *entry, out);
}

MetaStateMachine::MetaStateMachine(storage::ReplicaKeys keys, const storage::Reads& reads)
    : key_(row(keys)), reads_(reads) {}

Result<void> MetaStateMachine::load(storage::ReplicaKeys keys) {
  key_ = row(keys);
  Result<std::optional<std::string>> stored = reads_.get(key_);
  if (!stored) return fail(stored.error());
  return machine_.load(*stored ? std::string_view(**stored) : std::string_view());
}

Result<storage::Outcome> MetaStateMachine::apply(raft::Term /*term*/, raft::Index index,
                                                 std::string_view bytes,
                                                 std::shared_ptr<const storage::Entry>& /*entry*/,
                                                 storage::Batch& out) {
  const Result<MetaCommand> command = decode_meta_command(bytes);
  if (!command) return fail(command.error());
  storage::Outcome outcome = machine_.apply(index, *command);
  out.put(key_, machine_.stored());
  return outcome;
}

}  // namespace troupe::cluster
