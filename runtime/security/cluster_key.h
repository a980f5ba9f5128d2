#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/result.h>

namespace troupe::security {

/// The secret that the nodes of a cluster share, and the keys made of it.
///
/// One secret, or two while it is being changed: what this node makes is made with the first, what
/// others made with either is taken. So a secret is changed without a stop: add the new one behind
/// the old on every node, then swap them, then take the old one away.
///
/// Immutable. Never printed.
class ClusterKey {
 public:
  static constexpr std::size_t kSecretSizeMin = 32;  // bytes: as text, a random one of 128 bits
  static constexpr std::size_t kSecretsMax = 2;
  static constexpr std::size_t kFileSizeMax = 64 * 1024;

  /// A secret a line; empty lines, spaces around and lines that begin with # do not count.
  /// kInvalid, which never quotes a secret.
  static Result<ClusterKey> parse(std::string_view text);
  /// The same from a file. Blocks. kInvalid, naming the file.
  static Result<ClusterKey> read(const std::string& path);

  ClusterKey(const ClusterKey&) = default;
  ClusterKey(ClusterKey&&) noexcept = default;
  ~ClusterKey();

  /// How many secrets: 1 or 2.
  std::size_t size() const { return secrets_.size(); }

  /// 32 bytes made of secret `which` for one purpose; those of one purpose tell nothing of
  /// another's. HKDF with SHA-256 (RFC 5869). Requires which < size().
  std::string derive(std::size_t which, std::string_view purpose) const;

 private:
  ClusterKey() = default;

  std::vector<std::string> secrets_;
};

}  // namespace troupe::security
