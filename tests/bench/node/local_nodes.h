#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/node/node_runtime.h"
#include "tests/bench/node/load.h"
#include "tests/support/temporary_directory.h"

namespace troupe::bench {

/// Whole nodes in this process, which meet over loopback.
class LocalNodes {
 public:
  struct Options {
    std::uint32_t nodes = 1;
    bool on_disk = false;
    bool http = false;
  };
  /// Types of the node of that number.
  using Types = std::function<std::vector<ActorType>(std::uint32_t node)>;

  /// Returns when all serve calls; ends the process if they do not.
  LocalNodes(Options options, const Types& types);
  ~LocalNodes();

  node::NodeRuntime& node(std::size_t number) { return *nodes_[number]; }
  std::size_t size() const { return nodes_.size(); }
  /// Where the nodes keep their data. Requires on_disk.
  std::string directory() const { return directory_->path(); }
  /// One call by a client of that node; the reply, or the error as text of a Row's failure.
  Result<Payload> call(std::size_t node, const std::string& type, const std::string& id,
                       const std::string& method, const std::string& message = {});

 private:
  std::optional<TemporaryDirectory> directory_;
  std::vector<std::unique_ptr<node::NodeRuntime>> nodes_;
};

/// What a load did while it ran.
struct Outcome {
  double calls = 0;  // answered while measured
  double seconds = 0;
  double cpu_seconds = 0;  // of this process
  double failed = 0;       // in all
  double p50 = 0;          // milliseconds
  double p99 = 0;

  double rate() const { return calls / seconds; }
  double cpu_us() const { return cpu_seconds * 1e6 / calls; }  // of one
};

/// The drivers of the nodes at work. All calls of the load are over when it is gone.
class Drive {
 public:
  /// Drivers `first` to `first + count - 1` are called at `node`.
  Drive(LocalNodes& nodes, LoadSlot& slot, std::shared_ptr<Load> load);
  void start(std::size_t node, std::uint64_t first, std::uint64_t count);
  ~Drive() { (void)finish(); }

  /// Measures for so long, after a fifth of it to warm up, and stops the load.
  Outcome run_for(double seconds);
  /// Until the load has no more calls.
  Outcome run_out();

 private:
  Outcome finish();
  LocalNodes& nodes_;
  std::shared_ptr<Load> load_;
  std::vector<std::jthread> callers_;
  Time begin_;
  double cpu_ = 0;
};

}  // namespace troupe::bench
