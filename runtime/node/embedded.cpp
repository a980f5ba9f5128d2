#include <utility>

#include "runtime/base/log.h"
#include "runtime/node/node_runtime.h"
#include <troupe/embedded.h>

namespace troupe {
namespace {

constexpr auto kStartPatience = std::chrono::seconds(30);

node::NodeSettings settings_of(NodeOptions options) {
  node::NodeSettings settings;
  settings.data_directory = std::move(options.data_directory);
  settings.join = std::move(options.join);
  settings.listen = std::move(options.listen);
  settings.http = std::move(options.http);
  settings.grpc = std::move(options.grpc);
  settings.bootstrap_expect = options.bootstrap_expect;
  settings.discover = false;
  return settings;
}

}  // namespace

class Node::Parts {
 public:
  Parts(NodeOptions options, std::vector<ActorType> types)
      : runtime(settings_of(std::move(options)), std::move(types), Log(silent_log(), "node"),
                [](const std::optional<Error>& /*why*/) {}) {}

  node::NodeRuntime runtime;
};

Node::Node(NodeOptions options, std::vector<ActorType> types)
    : parts_(std::make_unique<Parts>(std::move(options), std::move(types))) {}

Node::~Node() = default;

Result<void> Node::start() {
  Result<void> started = parts_->runtime.start();
  if (!started) return started;
  if (parts_->runtime.wait_ready(kStartPatience)) return {};
  return fail(Code::kTimeout, "the node is not ready: it " + parts_->runtime.status());
}

void Node::stop() { parts_->runtime.stop(); }

Client Node::client() { return Client(parts_->runtime.client_transport()); }

std::string Node::address() const { return parts_->runtime.peer_address(); }

}  // namespace troupe
