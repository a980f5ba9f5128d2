#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/net/http_client.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/virtual_network.h"
#include <troupe/client.h>

namespace troupe {

/// Only a failing test waits so long for something that happens in a second on a machine at rest.
inline constexpr Duration kPatience = std::chrono::seconds(40);

/// Asks again and again, with pauses, until `holds` or for kPatience.
bool eventually(const std::function<bool()>& holds, Duration patience = kPatience);

/// Lets processes run for a while.
void pause(Duration length);

struct Answer {
  int status = 0;  // 0: none came
  std::string body;
};

/// One HTTP request after the other, with targets as they are given.
class Http {
 public:
  Answer send(const net::HostPort& to, const std::string& method, const std::string& target,
              std::string body = {}, net::HttpHeaders headers = {});

 private:
  SystemClock clock_;
  net::IoThreads threads_{clock_, {.threads = 1}};
  net::Resolver resolver_{1};
  net::HttpClient client_{threads_, resolver_, {.body_size_max = 64 * 1024 * 1024}};
};

/// Nodes of one cluster, each a process of `program`, in a directory of their own.
class NodeCluster {
 public:
  /// None runs yet. All `founders` are told of each other. On the loopback; or each on the host
  /// after its own number of `network`, which outlives this, with a secret.
  NodeCluster(std::string program, std::size_t founders, VirtualNetwork* network = nullptr);
  ~NodeCluster();

  /// Starts a node, for the first time or again. `flags` come after the usual ones.
  void start(std::size_t node, const std::vector<std::string>& flags = {});
  void start_all();
  /// Until they are members of the cluster and answer. False if that took more than kPatience.
  bool ready(std::size_t node);
  bool all_ready();
  /// One node more, which joins; its number.
  std::size_t add(const std::vector<std::string>& flags = {});

  std::size_t size() const { return nodes_.size(); }
  Process& process(std::size_t node) { return nodes_[node]->process; }
  std::uint16_t http_port(std::size_t node) const { return nodes_[node]->http; }
  std::uint16_t peer_port(std::size_t node) const { return nodes_[node]->peers; }
  std::string host(std::size_t node) const;
  std::string data(std::size_t node) const;
  /// The node id, as it says itself. Requires ready().
  std::string id(std::size_t node);
  std::string log(std::size_t node) const { return nodes_[node]->process.output(); }
  const std::string& directory() const { return directory_.path(); }

  /// Prefers this node and knows all.
  Client client(std::size_t node = 0, Duration timeout = std::chrono::seconds(30)) const;
  /// Knows this node only, and asks it once.
  Client client_of(std::size_t node, Duration timeout = std::chrono::seconds(30)) const;
  Answer get(std::size_t node, const std::string& target);
  Answer post(std::size_t node, const std::string& target, std::string body = {});
  Answer send(std::size_t node, const std::string& method, const std::string& target,
              std::string body = {}, net::HttpHeaders headers = {});

 private:
  struct Node {
    std::uint16_t peers = 0;
    std::uint16_t http = 0;
    Process process;
  };

  void new_node();
  std::string peers() const;
  std::string http_address(std::size_t node) const;

  std::string program_;
  std::size_t founders_;
  VirtualNetwork* network_;
  TemporaryDirectory directory_;
  Http http_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace troupe
