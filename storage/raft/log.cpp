#include "storage/raft/log.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace troupe::raft {

Log::Log(LogStart start, std::vector<Entry> entries)
    : start_(std::move(start)),
      configurations_(start_.index, start_.configuration),
      durable_(start_.index),
      unwritten_from_(start_.index + 1) {
  for (Entry& entry : entries) append(std::move(entry));
  durable_ = last_index();
  unwritten_from_ = last_index() + 1;
}

std::optional<Term> Log::term(Index index) const {
  if (index == start_.index) return start_.term;
  if (index < start_.index || index > last_index()) return std::nullopt;
  return at(index).term;
}

const Entry& Log::at(Index index) const {
  check(index > start_.index && index <= last_index(), "the log has no such entry");
  return entries_[index - start_.index - 1];
}

std::vector<Entry> Log::slice(Index from, std::size_t count_max, std::size_t bytes_max) const {
  std::vector<Entry> slice;
  if (from > last_index()) return slice;
  slice.reserve(std::min<std::size_t>(last_index() + 1 - from, count_max));
  std::size_t bytes = 0;
  for (Index index = from; index <= last_index() && slice.size() < count_max; ++index) {
    const Entry& entry = at(index);
    bytes += entry.data.size();
    if (!slice.empty() && bytes > bytes_max) break;
    slice.push_back(entry);
  }
  return slice;
}

Index Log::newest_not_after(Index from, Term term) const {
  Index index = std::min(from, last_index());
  while (index > start_.index && at(index).term > term) --index;
  const bool before_start = index == start_.index && index > 0 && start_.term > term;
  return before_start ? index - 1 : index;
}

void Log::append(Entry entry) {
  check(entry.index == last_index() + 1, "a log has no gaps");
  check(entry.term >= last_term(), "terms never fall along a log");
  if (entry.kind == EntryKind::kConfiguration) {
    auto configuration = decode_configuration(entry.data.view());
    check(configuration.has_value(), "a configuration entry holds a configuration");
    configurations_.append(entry.index, std::move(*configuration));
  }
  entries_.push_back(std::move(entry));
}

void Log::truncate(Index from) {
  check(from > start_.index, "what a snapshot stands for is never truncated");
  if (from > last_index()) return;
  entries_.resize(from - start_.index - 1);
  configurations_.truncate(from);
  forget_durable(from);
  if (from < unwritten_from_) {
    truncate_from_ = std::min(from, truncate_from_.value_or(from));
    unwritten_from_ = from;
  }
}

// What is written at `from` and after is no longer what this log holds there, even if it is
// durable.
void Log::forget_durable(Index from) {
  durable_ = std::min(durable_, from - 1);
  for (Write& write : writes_) write.last = std::min(write.last, from - 1);
}

void Log::compact(Index index) {
  if (index <= start_.index) return;
  check(index < unwritten_from_, "only what was written is compacted");
  LogStart start{.index = index, .term = at(index).term, .configuration = configuration_at(index)};
  entries_.erase(entries_.begin(),
                 entries_.begin() + static_cast<std::ptrdiff_t>(index - start_.index));
  configurations_.compact(index);
  start_ = std::move(start);
  start_unwritten_ = true;
}

void Log::restore(LogStart start, Index committed) {
  check(start.index > committed, "a snapshot never takes a log back");
  if (matches(start.index, start.term)) {
    entries_.erase(entries_.begin(),
                   entries_.begin() + static_cast<std::ptrdiff_t>(start.index - start_.index));
    configurations_.compact(start.index);
  } else {
    entries_.clear();
    configurations_ = ConfigurationHistory(start.index, start.configuration);
    forget_durable(committed + 1);
    truncate_from_ = start.index + 1;
    unwritten_from_ = start.index + 1;
  }
  unwritten_from_ = std::max(unwritten_from_, start.index + 1);
  start_ = std::move(start);
  start_unwritten_ = true;
}

bool Log::unwritten() const {
  return start_unwritten_ || truncate_from_ || unwritten_from_ <= last_index();
}

Log::Unwritten Log::take_unwritten(std::uint64_t ticket) {
  Unwritten unwritten;
  if (start_unwritten_) unwritten.start = start_;
  unwritten.truncate_from = truncate_from_;
  if (unwritten_from_ <= last_index())
    unwritten.entries.reserve(last_index() + 1 - unwritten_from_);
  for (Index index = unwritten_from_; index <= last_index(); ++index) {
    unwritten.entries.push_back(at(index));
  }
  start_unwritten_ = false;
  truncate_from_.reset();
  unwritten_from_ = last_index() + 1;
  writes_.push_back({.ticket = ticket, .last = last_index()});
  return unwritten;
}

void Log::persisted(std::uint64_t ticket) {
  while (!writes_.empty() && writes_.front().ticket <= ticket) {
    durable_ = std::max(durable_, writes_.front().last);
    writes_.pop_front();
  }
}

std::uint64_t Log::ticket_of(Index index, std::uint64_t next) const {
  if (index <= durable_) return 0;
  for (const Write& write : writes_) {
    if (index <= write.last) return write.ticket;
  }
  return next;
}

}  // namespace troupe::raft
