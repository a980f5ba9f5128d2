#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/ids.h"
#include <troupe/result.h>

namespace troupe::storage {

/// Who a data directory belongs to.
struct Identity {
  std::string cluster;  // id of the cluster, one line; empty: none yet
  NodeId node;
  Generation generation;       // of the latest process start
  bool store_created = false;  // the store was complete once: it must be there

  friend bool operator==(const Identity&, const Identity&) = default;
};

/// A node's directory on the disk, held by one process at a time.
///
///     <path>/lock       held while the process lives
///     <path>/identity   small, replaced as a whole
///     <path>/store/     the engine's
///
/// The life of a store: save an identity with store_created = false; open the engine with create =
/// true; save again with store_created = true, before anybody is told anything. From then on open
/// it with create = false, so that a lost store is noticed.
class DataDirectory {
 public:
  /// Makes the directory if there is none, and takes its lock. kPrecondition: another process holds
  /// it, there are files that are not ours, or a newer version wrote it; kDataLoss: the identity is
  /// damaged or missing; kUnavailable: the disk refuses. The message says what to do.
  static Result<DataDirectory> open_or_create(const std::string& path);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&& other) noexcept;
  ~DataDirectory();

  const std::string& path() const { return path_; }
  std::string store_path() const { return path_ + "/store"; }

  /// Nothing in a new directory.
  const std::optional<Identity>& identity() const { return identity_; }

  /// kPrecondition if the directory belongs to a cluster other than `cluster`.
  Result<void> expect_cluster(const std::string& cluster) const;

  /// On the disk, whole, when this returns; after a crash meanwhile, the old one or the new one is.
  /// Blocks.
  Result<void> save(const Identity& identity);

 private:
  DataDirectory(std::string path, int lock);

  std::string path_;
  int lock_;  // file descriptor; -1: moved from
  std::optional<Identity> identity_;
};

}  // namespace troupe::storage
