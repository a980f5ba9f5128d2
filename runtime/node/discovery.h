#pragma once

#include <string>
#include <vector>

namespace troupe::node {

/// Where the nodes of one user on one machine find each other: a directory with a file per node,
/// `$XDG_RUNTIME_DIR/troupe/<cluster>/<pid>`, that holds its address. Files of processes that are
/// gone are removed by whoever meets them.
class Discovery {
 public:
  explicit Discovery(std::string cluster_name);
  ~Discovery() { withdraw(); }
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  /// The addresses of the other nodes that run now.
  std::vector<std::string> others() const;
  /// Lets others find this node at `address`. Without effect if the directory cannot be written.
  void announce(const std::string& address);
  void withdraw();

 private:
  std::string directory_;
  std::string file_;
};

}  // namespace troupe::node
