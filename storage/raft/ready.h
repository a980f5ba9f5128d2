#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/raft/log.h"
#include "storage/raft/message.h"
#include "storage/raft/types.h"

namespace troupe::raft {

enum class Role : std::uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

/// Who leads, as far as this replica knows.
struct Standing {
  Role role = Role::kFollower;
  Term term = 0;
  Address leader;  // empty: unknown

  friend bool operator==(const Standing&, const Standing&) = default;
};

/// A read may be served once the state machine has applied `index`.
struct ReadState {
  std::uint64_t context = 0;
  Index index = 0;

  friend bool operator==(const ReadState&, const ReadState&) = default;
};

/// Send `to` the state of this replica's state machine, at any applied index from `at_least` on,
/// and report to Raft::snapshot_sent().
struct SendSnapshot {
  Address to;
  Index at_least = 0;

  friend bool operator==(const SendSnapshot&, const SendSnapshot&) = default;
};

/// What to do, in this order:
///
/// 1. If `lost_leadership`: the outcome of every waiting proposal is unknown, reads fail.
/// 2. Put the writes into the pending batch, all or none, in the order of the fields; call
///    persisted(ticket) when that batch, and so every one before it, is durable.
/// 3. Send the messages, at once: those that must wait for the disk are not among them.
/// 4. Apply `committed`, at once, into the same or a later batch than the writes: they may be
///    ahead of this replica's own disk, so their effects must not get there before them.
/// 5. Serve reads, send snapshots.
struct Ready {
  std::uint64_t ticket = 0;  // 0: nothing to write

  bool lost_leadership = false;
  std::optional<Standing> standing;  // if it changed

  // The writes.
  std::optional<HardState> hard_state;
  bool snapshot_installed = false;     // the received snapshot becomes the state, by this batch
  std::optional<LogStart> log_start;   // delete entries up to its index; keep it
  std::optional<Index> truncate_from;  // delete entries from here on
  std::vector<Entry> entries;          // put these

  std::vector<Message> messages;
  std::vector<Entry> committed;  // all kinds, without gaps
  std::vector<ReadState> reads;
  std::vector<std::uint64_t> failed_reads;  // contexts that will never be answered
  std::vector<SendSnapshot> snapshots;

  bool empty() const;
};

}  // namespace troupe::raft
