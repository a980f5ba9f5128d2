#include "storage/memory/memory_engine.h"

#include <ranges>
#include <utility>
#include <vector>

#include "runtime/base/check.h"

namespace troupe::storage {
namespace {

struct Version {
  std::uint64_t moment;
  std::optional<std::string> value;  // nothing: erased
};
using Rows = std::map<std::string, std::vector<Version>, std::less<>>;
using Plain = std::map<std::string, std::string, std::less<>>;

void apply_to(Plain& rows, const Batch& batch) {
  for (const auto& [kind, key, value] : batch.operations()) {
    switch (kind) {
      case Batch::Kind::kPut:
        rows.insert_or_assign(std::string(key), value);
        break;
      case Batch::Kind::kErase:
        rows.erase(std::string(key));
        break;
      case Batch::Kind::kEraseRange:
        rows.erase(rows.lower_bound(key), rows.lower_bound(value));
        break;
    }
  }
}

const std::optional<std::string>* visible(const std::vector<Version>& versions,
                                          std::uint64_t moment) {
  for (const Version& version : std::views::reverse(versions)) {
    if (version.moment <= moment) return &version.value;
  }
  return nullptr;
}

}  // namespace

struct MemoryEngine::State {
  void apply_versions(const Batch& batch);
  void change(const std::string& key, std::optional<std::string> value);
  void collect();

  Rows rows;
  std::uint64_t moment = 0;
  std::multiset<std::uint64_t> views;
  std::deque<std::pair<std::uint64_t, std::string>> superseded;  // since when, which key
  Plain durable;
  std::vector<Batch> unsynced;
  std::optional<Error> failure;
};

void MemoryEngine::State::apply_versions(const Batch& batch) {
  ++moment;
  for (const auto& [kind, key, value] : batch.operations()) {
    switch (kind) {
      case Batch::Kind::kPut:
        change(std::string(key), std::string(value));
        break;
      case Batch::Kind::kErase:
        change(std::string(key), std::nullopt);
        break;
      case Batch::Kind::kEraseRange:
        for (auto row = rows.lower_bound(key); row != rows.end() && row->first < value; ++row) {
          change(row->first, std::nullopt);
        }
        break;
    }
  }
  collect();
}

void MemoryEngine::State::change(const std::string& key, std::optional<std::string> value) {
  std::vector<Version>& versions = rows[key];
  if (!versions.empty() && versions.back().moment == moment) versions.pop_back();
  versions.push_back({.moment = moment, .value = std::move(value)});
  superseded.emplace_back(moment, key);
}

// Forgets the versions that no view can see.
void MemoryEngine::State::collect() {
  const std::uint64_t oldest = views.empty() ? moment : *views.begin();
  for (; !superseded.empty() && superseded.front().first <= oldest; superseded.pop_front()) {
    const auto row = rows.find(superseded.front().second);
    if (row == rows.end()) continue;
    std::vector<Version>& versions = row->second;
    std::size_t unseen = 0;
    while (unseen + 1 < versions.size() && versions[unseen + 1].moment <= oldest) ++unseen;
    versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(unseen));
    if (versions.size() == 1 && !versions.front().value && versions.front().moment <= oldest) {
      rows.erase(row);
    }
  }
}

namespace {

using Shared = Guarded<MemoryEngine::State>;

class MemoryCursor final : public Cursor {
 public:
  MemoryCursor(Shared& state, std::uint64_t moment, std::string_view from, std::string_view to)
      : state_(state), moment_(moment), key_(from), to_(to) {
    step(true);
  }

  bool valid() const override { return valid_; }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }
  void next() override { step(false); }
  Result<void> status() const override { return {}; }

 private:
  void step(bool first) {
    state_.with([&](const MemoryEngine::State& state) {
      auto row = first ? state.rows.lower_bound(key_) : state.rows.upper_bound(key_);
      for (; row != state.rows.end() && row->first < to_; ++row) {
        const std::optional<std::string>* value = visible(row->second, moment_);
        if (value == nullptr || !*value) continue;
        valid_ = true;
        key_ = row->first;
        value_ = **value;
        return;
      }
      valid_ = false;
    });
  }

  Shared& state_;
  std::uint64_t moment_;
  bool valid_ = false;
  std::string key_;
  std::string value_;
  std::string to_;
};

class MemoryView final : public View {
 public:
  explicit MemoryView(Shared& state) : state_(state) {
    moment_ = state_.with([](MemoryEngine::State& inside) {
      inside.views.insert(inside.moment);
      return inside.moment;
    });
  }
  ~MemoryView() override {
    state_.with([&](MemoryEngine::State& inside) {
      inside.views.erase(inside.views.find(moment_));
      inside.collect();
    });
  }

  Result<std::optional<std::string>> get(std::string_view key) const override {
    return state_.with([&](const MemoryEngine::State& inside) -> std::optional<std::string> {
      const auto row = inside.rows.find(key);
      if (row == inside.rows.end()) return std::nullopt;
      const std::optional<std::string>* value = visible(row->second, moment_);
      return value == nullptr ? std::nullopt : *value;
    });
  }
  std::unique_ptr<Cursor> scan(std::string_view from, std::string_view to) const override {
    return std::make_unique<MemoryCursor>(state_, moment_, from, to);
  }

 private:
  Shared& state_;
  std::uint64_t moment_ = 0;
};

}  // namespace

MemoryEngine::MemoryEngine() : state_(std::make_unique<Guarded<State>>()) {}
MemoryEngine::~MemoryEngine() = default;

Result<void> MemoryEngine::write_all(std::span<const Batch* const> batches, bool sync) {
  return state_->with([&](State& state) -> Result<void> {
    if (state.failure) return fail(*state.failure);
    for (const Batch* const batch : batches) {
      state.apply_versions(*batch);
      state.unsynced.push_back(*batch);
    }
    if (!sync) return {};
    for (const Batch& written : state.unsynced) apply_to(state.durable, written);
    state.unsynced.clear();
    return {};
  });
}

std::unique_ptr<View> MemoryEngine::view() const { return std::make_unique<MemoryView>(*state_); }

std::size_t MemoryEngine::unsynced() const {
  return state_->with([](const State& state) { return state.unsynced.size(); });
}

void MemoryEngine::crash(std::size_t keep) {
  state_->with([&](State& state) {
    check(state.views.empty(), "no view is open in a crash");
    for (std::size_t i = 0; i < std::min(keep, state.unsynced.size()); ++i) {
      apply_to(state.durable, state.unsynced[i]);
    }
    state.unsynced.clear();
    state.superseded.clear();
    state.rows.clear();
    for (const auto& [key, value] : state.durable) {
      state.rows[key].push_back({.moment = state.moment, .value = value});
    }
  });
}

void MemoryEngine::fail_writes(std::optional<Error> error) {
  state_->with([&](State& state) { state.failure = std::move(error); });
}

}  // namespace troupe::storage
