#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// Immutable bytes, shared by whoever holds them. Copying copies a pointer. Thread-safe.
class Payload {
 public:
  /// No bytes.
  Payload() = default;
  Payload(std::string bytes)  // NOLINT(google-explicit-constructor)
      : bytes_(bytes.empty() ? nullptr : std::make_shared<const std::string>(std::move(bytes))) {}

  std::string_view view() const { return bytes_ ? std::string_view(*bytes_) : std::string_view(); }
  std::size_t size() const { return bytes_ ? bytes_->size() : 0; }
  bool empty() const { return !bytes_; }

  friend bool operator==(const Payload& a, const Payload& b) { return a.view() == b.view(); }

 private:
  std::shared_ptr<const std::string> bytes_;
};

}  // namespace troupe
