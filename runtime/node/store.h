#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"
#include "storage/data_directory.h"
#include "storage/writer.h"
#include <troupe/result.h>

namespace troupe::node {

/// What a node keeps: its data directory with the engine in it, or memory, and the disk thread.
class Store {
 public:
  /// All outlive it. Errors say what to do.
  static Result<std::unique_ptr<Store>> open(const std::string& directory, Random& random,
                                             Executor& loop, Clock& clock, Log log);
  static Result<std::unique_ptr<Store>> in_memory(Random& random, Executor& loop, Clock& clock);

  NodeId node() const { return identity_.node; }
  storage::Disk& disk() { return *disk_; }
  /// kPrecondition if the directory belongs to another cluster.
  Result<void> expect_cluster(const std::string& cluster) const;
  /// Writes down which cluster the directory belongs to, and that a store which is gone from now on
  /// is lost. Blocks; at the same time as nothing else here but disk().
  Result<void> joined(const std::string& cluster);

 private:
  Store() = default;

  std::optional<storage::DataDirectory> directory_;
  storage::Identity identity_;
  std::unique_ptr<storage::Engine> engine_;
  std::unique_ptr<storage::Disk> disk_;
};

}  // namespace troupe::node
