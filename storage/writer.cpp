#include "storage/writer.h"

#include <algorithm>
#include <utility>

namespace troupe::storage {

ThreadDisk::ThreadDisk(Engine& engine, Executor& executor, Clock& clock)
    : engine_(engine), executor_(executor), writer_(clock, "writer"), reader_(clock, "reader") {}

void ThreadDisk::write(const Batch& batch, bool sync, Done<void> done) {
  writer_.post([this, &batch, sync, done = std::move(done)]() mutable {
    executor_.post([done = std::move(done), written = engine_.write(batch, sync)]() mutable {
      done(std::move(written));
    });
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

// Those that nobody looks at any more are filled again.
void GroupWriter::renew_pending() {
  const auto spare = std::ranges::find_if(
      batches_, [](const std::shared_ptr<Batch>& batch) { return batch.use_count() == 1; });
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
  if (in_flight_) {
    flush_wanted_ = true;
  } else {
    submit();
  }
}

void GroupWriter::submit() {
  flush_wanted_ = false;
  in_flight_ = std::move(pending_);
  in_flight_layer_ = std::move(pending_layer_);
  renew_pending();
  ++current_;
  const bool sync = std::exchange(sync_, false);
  // The disk may still be at it when the writer goes: what it reads stays until it is done.
  disk_.write(*in_flight_, sync,
              [this, sync, batch = in_flight_,
               alive = std::weak_ptr(alive_)](const Result<void>& written) mutable {
                if (!alive.lock()) return;
                batch.reset();
                completed(sync, written);
              });
}

void GroupWriter::completed(bool sync, const Result<void>& written) {
  if (!written) {
    failed_ = true;
    hooks_.failed(written.error());
    return;
  }
  progress_.written = current_ - 1;
  if (sync) progress_.durable = progress_.written;
  in_flight_layer_.reset();
  in_flight_.reset();
  view_.reset();
  // First the disk, so that it works while the hook does.
  if (flush_wanted_) submit();
  hooks_.progress(progress_);
}

bool GroupWriter::full() const {
  const std::size_t in_flight = in_flight_ ? in_flight_->size_bytes() : 0;
  return gathered_.size_bytes() + pending_->size_bytes() + in_flight > options_.bytes_max;
}

Result<std::optional<std::string>> GroupWriter::get(std::string_view key) const {
  if (const std::optional<Gathered::Found> found = gathered_.find(key)) {
    if (found->erased) return std::optional<std::string>();
    return std::optional(std::string(found->value));
  }
  for (Overlay* layer : {pending_layer_.get(), in_flight_layer_.get()}) {
    if (layer == nullptr) continue;
    const std::optional<Overlay::Found> found = layer->find(key);
    if (!found) continue;
    if (found->erased) return std::optional<std::string>();
    return std::optional(std::string(found->value));
  }
  return base().get(key);
}

std::unique_ptr<Cursor> GroupWriter::scan(std::string_view from, std::string_view to) const {
  std::unique_ptr<Cursor> cursor = base().scan(from, to);
  for (Overlay* layer : {in_flight_layer_.get(), pending_layer_.get()}) {
    if (layer != nullptr) cursor = layer->scan(std::move(cursor), from, to);
  }
  return gathered_.scan(std::move(cursor), from, to);
}

const View& GroupWriter::base() const {
  if (!view_) view_ = disk_.view();
  return *view_;
}

}  // namespace troupe::storage
