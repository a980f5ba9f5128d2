#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "storage/raft/configuration.h"
#include "storage/raft/types.h"

namespace troupe::raft {

/// Where a log begins: the last entry that a snapshot stands for, and the configuration then.
/// Index 0 with the first configuration founds a group; index 0 without one waits to be added.
struct LogStart {
  Index index = 0;
  Term term = 0;
  Configuration configuration{};

  friend bool operator==(const LogStart&, const LogStart&) = default;
};

/// The entries in memory, and how far they are durable.
///
///     start.index │ entries ... ........ ......... last
///                 │       durable ↑    written ↑
///
/// `written`: handed out to be written. `durable`: known to be on disk. Truncation moves both back.
/// Writes are numbered by tickets, which become durable in order.
class Log {
 public:
  /// `entries` are all durable, and continue `start` without a gap.
  Log(LogStart start, std::vector<Entry> entries);

  const LogStart& start() const { return start_; }
  Index last_index() const { return start_.index + entries_.size(); }
  Term last_term() const { return entries_.empty() ? start_.term : entries_.back().term; }
  /// None before the start and after the end.
  std::optional<Term> term(Index index) const;
  bool matches(Index index, Term term) const { return this->term(index) == term; }
  /// Requires that it is in memory.
  const Entry& at(Index index) const;
  /// Entries from `from`, as many as fit the limits, but always one if there is one.
  std::vector<Entry> slice(Index from, std::size_t count_max, std::size_t bytes_max) const;
  /// The newest index up to `from` whose term is at most `term`: where a disagreement must begin.
  Index newest_not_after(Index from, Term term) const;

  /// Requires that it continues the log.
  void append(Entry entry);
  /// Removes the entries from `from` on. Requires start.index < from.
  void truncate(Index from);
  /// Drops the entries up to `index`. Requires that it was handed out to be written.
  void compact(Index index);
  /// Starts anew behind a snapshot. What follows it in this log stays if it agrees with the
  /// snapshot. Otherwise everything after `committed` was wrong, and goes.
  void restore(LogStart start, Index committed);

  const Configuration& configuration() const { return configurations_.latest(); }
  Index configuration_index() const { return configurations_.latest_index(); }
  const Configuration& configuration_at(Index index) const { return configurations_.at(index); }

  Index durable() const { return durable_; }

  /// What is not yet handed out to be written.
  struct Unwritten {
    std::optional<LogStart> start;       // delete the entries up to its index, remember it
    std::optional<Index> truncate_from;  // delete the entries from here on
    std::vector<Entry> entries;          // then put these
  };
  bool unwritten() const;
  Unwritten take_unwritten(std::uint64_t ticket);

  /// Everything handed out under tickets up to this one is on disk.
  void persisted(std::uint64_t ticket);
  /// The ticket after which the entries up to `index` are durable; 0 if they are; `next` if they
  /// are not handed out yet.
  std::uint64_t ticket_of(Index index, std::uint64_t next) const;

 private:
  struct Write {
    std::uint64_t ticket;
    Index last;  // the log's end then, less what was truncated since
  };

  void forget_durable(Index from);

  LogStart start_;
  std::deque<Entry> entries_;
  ConfigurationHistory configurations_;

  Index durable_;
  Index unwritten_from_;
  std::optional<Index> truncate_from_;
  bool start_unwritten_ = false;
  std::deque<Write> writes_;  // handed out, not yet durable
};

}  // namespace troupe::raft
