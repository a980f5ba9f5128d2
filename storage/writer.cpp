#include "storage/writer.h"

#include <algorithm>
#include <utility>

namespace troupe::storage {
namespace {

constexpr std::size_t kSparesMax = 4;

}  // namespace

ThreadDisk::ThreadDisk(Engine& engine, Executor& executor, Clock& clock)
    : engine_(engine), executor_(executor), writer_(clock, "writer"), reader_(clock, "reader") {}

void ThreadDisk::write(const Batch& batch, bool sync, Done<void> done) {
  const bool first = asked_.with([&](std::vector<Request>& asked) {
    asked.push_back({.batch = &batch, .sync = sync, .done = std::move(done)});
    return asked.size() == 1;
  });
  // The others are taken along.
  if (first) writer_.post([this] { write_asked(); });
}

void ThreadDisk::write_asked() {
  std::vector<Request> requests = asked_.with([](auto& asked) { return std::exchange(asked, {}); });
  std::vector<const Batch*> batches;
  batches.reserve(requests.size());
  for (const Request& request : requests) batches.push_back(request.batch);
  const bool sync = std::ranges::any_of(requests, &Request::sync);
  executor_.post(
      [requests = std::move(requests), written = engine_.write_all(batches, sync)]() mutable {
        for (Request& request : requests) request.done(written);
      });
}

std::unique_ptr<View> ThreadDisk::view() const { return engine_.view(); }

void ThreadDisk::read(Function<Work()> work) {
  reader_.post([this, work = std::move(work)]() mutable { executor_.post(work()); });
}

GroupWriter::GroupWriter(Disk& disk, Options options, Hooks hooks)
    : disk_(disk), options_(options), hooks_(std::move(hooks)) {
  renew_pending();
}

GroupWriter::~GroupWriter() = default;

// Those that nobody looks at any more are filled again, a few of them: they keep their memory.
void GroupWriter::renew_pending() {
  const auto is_spare = [](const std::shared_ptr<Batch>& batch) { return batch.use_count() == 1; };
  std::size_t spares = 0;
  std::erase_if(batches_,
                [&](const auto& batch) { return is_spare(batch) && ++spares > kSparesMax; });
  const auto spare = std::ranges::find_if(batches_, is_spare);
  if (spare != batches_.end()) {
    pending_ = *spare;
    pending_->clear();
  } else {
    pending_ = batches_.emplace_back(std::make_shared<Batch>());
  }
  pending_layer_ = std::make_unique<Overlay>(*pending_);
}

void GroupWriter::flush() {
  if (gathered_.size_bytes() > options_.gathered_bytes_max) settle();
  if (failed_ || (pending_->empty() && !sync_)) return;
  flush_wanted_ = at_disk_.size() >= options_.at_disk_max;
  if (!flush_wanted_) submit();
}

void GroupWriter::submit() {
  flush_wanted_ = false;
  std::shared_ptr<const Batch> batch = std::move(pending_);
  const bool sync = std::exchange(sync_, false);
  at_disk_bytes_ += batch->size_bytes();
  at_disk_.push_back({.batch = batch, .layer = std::move(pending_layer_), .sync = sync});
  renew_pending();
  ++current_;
  // The disk may still be at it when the writer goes: what it reads stays until it is done.
  disk_.write(*batch, sync,
              [this, batch, alive = std::weak_ptr(alive_)](const Result<void>& written) mutable {
                if (!alive.lock()) return;
                batch.reset();
                completed(written);
              });
}

void GroupWriter::completed(const Result<void>& written) {
  if (failed_) return;
  if (!written) {
    failed_ = true;
    hooks_.failed(written.error());
    return;
  }
  ++progress_.written;
  if (at_disk_.front().sync) progress_.durable = progress_.written;
  at_disk_bytes_ -= at_disk_.front().batch->size_bytes();
  at_disk_.pop_front();
  view_.reset();
  // First the disk, so that it works while the hook does.
  if (flush_wanted_) submit();
  hooks_.progress(progress_);
}

Result<std::optional<std::string>> GroupWriter::get(std::string_view key) const {
  if (const std::optional<Gathered::Found> found = gathered_.find(key)) {
    if (found->erased) return std::optional<std::string>();
    return std::optional(std::string(found->value));
  }
  std::optional<Overlay::Found> found = pending_layer_->find(key);
  for (auto each = at_disk_.rbegin(); !found && each != at_disk_.rend(); ++each) {
    found = each->layer->find(key);
  }
  if (!found) return base().get(key);
  if (found->erased) return std::optional<std::string>();
  return std::optional(std::string(found->value));
}

std::unique_ptr<Cursor> GroupWriter::scan(std::string_view from, std::string_view to) const {
  std::unique_ptr<Cursor> cursor = base().scan(from, to);
  for (const AtDisk& each : at_disk_) cursor = each.layer->scan(std::move(cursor), from, to);
  cursor = pending_layer_->scan(std::move(cursor), from, to);
  return gathered_.scan(std::move(cursor), from, to);
}

const View& GroupWriter::base() const {
  if (!view_) view_ = disk_.view();
  return *view_;
}

}  // namespace troupe::storage
