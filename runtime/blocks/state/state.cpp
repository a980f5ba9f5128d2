#include "runtime/blocks/state/state.h"

#include <charconv>
#include <limits>
#include <utility>

namespace troupe::blocks::state {
namespace {

constexpr std::string_view kSeparator = "||";
constexpr std::string_view kTtl = "ttlInSeconds";

Result<void> refuse_separator(std::string_view key) {
  if (key.find(kSeparator) == std::string_view::npos) return {};
  return fail(Code::kInvalid, "input key/keyPrefix '" + std::string(key) + "' can't contain '||'");
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

Result<KeyPrefix> KeyPrefix::of(std::string_view strategy, const Names& names) {
  const std::string word = lower_case(strategy);
  if (const Result<void> fine = refuse_separator(word); !fine) return fail(fine.error());
  KeyPrefix prefix;
  if (word == "none") return prefix;
  if (word.empty() || word == "appid") {
    prefix.prefix_ = names.app_id;
  } else if (word == "namespace") {
    prefix.prefix_ =
        names.name_space.empty() ? names.app_id : names.name_space + "." + names.app_id;
    if (names.app_id.empty()) prefix.prefix_.clear();
  } else if (word == "name") {
    prefix.prefix_ = names.store;
  } else {
    prefix.prefix_ = word;
  }
  if (!prefix.prefix_.empty()) prefix.prefix_ += kSeparator;
  return prefix;
}

Result<std::string> KeyPrefix::stored(std::string_view key) const {
  if (const Result<void> fine = refuse_separator(key); !fine) return fail(fine.error());
  return prefix_ + std::string(key);
}

std::string KeyPrefix::original(std::string_view stored) {
  const std::size_t first = stored.find(kSeparator);
  if (first == std::string_view::npos) return std::string(stored);
  stored.remove_prefix(first + kSeparator.size());
  return std::string(stored.substr(0, stored.find(kSeparator)));
}

Result<std::optional<std::int64_t>> take_ttl(Metadata& metadata) {
  const auto found = metadata.find(std::string(kTtl));
  if (found == metadata.end()) return std::optional<std::int64_t>();
  const std::string text = std::move(found->second);
  metadata.erase(found);
  if (text.empty()) return std::optional<std::int64_t>();
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < -1 ||
      seconds > std::numeric_limits<std::int32_t>::max()) {
    return fail(Code::kPrecondition,
                "incorrect value for metadata 'ttlInSeconds': expected a whole number from -1 to "
                "2147483647, got '" +
                    text + "'");
  }
  return std::optional(seconds);
}

Result<Concurrency> concurrency_of(std::string_view word) {
  if (word.empty()) return Concurrency::kUnsaid;
  if (word == "first-write") return Concurrency::kFirstWrite;
  if (word == "last-write") return Concurrency::kLastWrite;
  return fail(Code::kPrecondition, "unrecognized concurrency model '" + std::string(word) + "'");
}

Result<Consistency> consistency_of(std::string_view word) {
  if (word.empty()) return Consistency::kUnsaid;
  if (word == "eventual") return Consistency::kEventual;
  if (word == "strong") return Consistency::kStrong;
  return fail(Code::kPrecondition, "unrecognized consistency model '" + std::string(word) + "'");
}

std::shared_ptr<const Store> Stores::find(std::string_view name) const {
  return stores_.with([&](const auto& stores) -> std::shared_ptr<const Store> {
    const auto found = stores.find(name);
    return found == stores.end() ? nullptr : found->second;
  });
}

bool Stores::empty() const {
  return stores_.with([](const auto& stores) { return stores.empty(); });
}

std::vector<std::shared_ptr<const Store>> Stores::all() const {
  return stores_.with([](const auto& stores) {
    std::vector<std::shared_ptr<const Store>> all;
    all.reserve(stores.size());
    for (const auto& [name, store] : stores) all.push_back(store);
    return all;
  });
}

std::shared_ptr<const Store> Stores::put(std::shared_ptr<const Store> store) {
  return stores_.with([&](auto& stores) {
    auto& place = stores[store->name];
    return std::exchange(place, std::move(store));
  });
}

std::shared_ptr<const Store> Stores::remove(std::string_view name) {
  return stores_.with([&](auto& stores) -> std::shared_ptr<const Store> {
    const auto found = stores.find(name);
    if (found == stores.end()) return nullptr;
    std::shared_ptr<const Store> store = std::move(found->second);
    stores.erase(found);
    return store;
  });
}

}  // namespace troupe::blocks::state
