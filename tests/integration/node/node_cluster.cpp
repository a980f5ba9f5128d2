#include "tests/integration/node/node_cluster.h"

#include <algorithm>
#include <future>
#include <iostream>
#include <utility>

#include <gtest/gtest.h>
#include <poll.h>

#include "sdk/src/http_client_transport.h"

namespace troupe {

using namespace std::chrono_literals;

void pause(Duration length) {
  poll(nullptr, 0,
       static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(length).count()));
}

bool eventually(const std::function<bool()>& holds, Duration patience) {
  const SystemClock clock;
  const Time until = clock.now() + patience;
  while (!holds()) {
    if (clock.now() > until) return false;
    pause(20ms);
  }
  return true;
}

Answer Http::send(std::uint16_t port, const std::string& method, const std::string& target,
                  std::string body) {
  net::HttpRequest request{.method = method, .target = target, .body = Payload(std::move(body))};
  if (method != "GET") request.headers.add("Content-Type", "application/json");
  auto answered = std::make_shared<std::promise<Result<net::HttpResponse>>>();
  client_.send(
      {.where = {.host = "127.0.0.1", .port = port}}, std::move(request), clock_.now() + 20s,
      [answered](Result<net::HttpResponse> response) { answered->set_value(std::move(response)); });
  const Result<net::HttpResponse> response = answered->get_future().get();
  if (!response) return {0, response.error().message};
  return {response->status, std::string(response->body.view())};
}

NodeCluster::NodeCluster(std::string program, std::size_t founders)
    : program_(std::move(program)), founders_(founders) {
  for (std::size_t i = 0; i < founders; ++i) new_node();
}

NodeCluster::~NodeCluster() {
  if (!testing::Test::HasFailure()) return;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const std::string all = log(i);
    const std::size_t from = all.size() > 4000 ? all.size() - 4000 : 0;
    std::cerr << "--- log of node " << i << ", its end\n" << all.substr(from);
  }
}

void NodeCluster::new_node() {
  auto node = std::make_unique<Node>();
  node->peers = free_port();
  node->http = free_port();
  nodes_.push_back(std::move(node));
}

std::string NodeCluster::data(std::size_t node) const {
  return directory_.path() + "/node" + std::to_string(node);
}

std::string NodeCluster::peers() const {
  std::string all;
  for (std::size_t i = 0; i < founders_; ++i) {
    all += (i == 0 ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(nodes_[i]->peers);
  }
  return all;
}

void NodeCluster::start(std::size_t node, const std::vector<std::string>& flags) {
  const auto on_loopback = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  std::vector<std::string> arguments{program_,     "--no-discovery",
                                     "--data-dir", data(node),
                                     "--listen",   on_loopback(nodes_[node]->peers),
                                     "--http",     on_loopback(nodes_[node]->http),
                                     "--shards",   "64",
                                     "--threads",  "2"};
  if (founders_ > 1) arguments.insert(arguments.end(), {"--join", peers()});
  if (founders_ > 1 && node < founders_) {
    arguments.insert(arguments.end(), {"--bootstrap-expect", std::to_string(founders_)});
  }
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  nodes_[node]->process.start(arguments, data(node) + ".log");
}

void NodeCluster::start_all() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) start(i);
}

bool NodeCluster::ready(std::size_t node) {
  return eventually(
             [&] { return !process(node).runs() || get(node, "/v1.0/healthz").status == 204; }) &&
         process(node).runs();
}

bool NodeCluster::all_ready() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!ready(i)) return false;
  }
  return true;
}

std::size_t NodeCluster::add(const std::vector<std::string>& flags) {
  new_node();
  start(nodes_.size() - 1, flags);
  return nodes_.size() - 1;
}

Client NodeCluster::client(std::size_t node, Duration timeout) const {
  HttpClientTransportOptions options;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    options.addresses.push_back("127.0.0.1:" +
                                std::to_string(nodes_[(node + i) % nodes_.size()]->http));
  }
  options.retries = 40;
  options.pause_max = 500ms;
  return Client(http_transport(options), timeout);
}

Client NodeCluster::client_of(std::size_t node) const {
  return Client(
      ClientOptions{.addresses = {"127.0.0.1:" + std::to_string(http_port(node))}, .retries = 0});
}

Answer NodeCluster::get(std::size_t node, const std::string& target) {
  return http_.send(http_port(node), "GET", target);
}

Answer NodeCluster::post(std::size_t node, const std::string& target, std::string body) {
  return http_.send(http_port(node), "POST", target, std::move(body));
}

}  // namespace troupe
