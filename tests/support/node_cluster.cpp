#include "tests/support/node_cluster.h"

#include <algorithm>
#include <fstream>
#include <future>
#include <iostream>
#include <utility>

#include <gtest/gtest.h>
#include <poll.h>

#include "runtime/base/check.h"
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

Answer Http::send(const net::HostPort& to, const std::string& method, const std::string& target,
                  std::string body, net::HttpHeaders headers) {
  net::HttpRequest request{.method = method,
                           .target = target,
                           .headers = std::move(headers),
                           .body = Payload(std::move(body))};
  if (method != "GET") request.headers.add("Content-Type", "application/json");
  auto answered = std::make_shared<std::promise<Result<net::HttpResponse>>>();
  client_.send(
      {.where = to}, std::move(request), clock_.now() + 20s,
      [answered](Result<net::HttpResponse> response) { answered->set_value(std::move(response)); });
  const Result<net::HttpResponse> response = answered->get_future().get();
  if (!response) return {0, response.error().message};
  return {response->status, std::string(response->body.view())};
}

NodeCluster::NodeCluster(std::string program, std::size_t founders, VirtualNetwork* network)
    : program_(std::move(program)), founders_(founders), network_(network) {
  std::ofstream(directory_.path() + "/cluster.key") << std::string(64, 'k');
  for (std::size_t i = 0; i < founders; ++i) new_node();
}

NodeCluster::~NodeCluster() {
  if (!testing::Test::HasFailure()) return;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const std::string all = log(i);
    const std::size_t from = all.size() > 4000 ? all.size() - 4000 : 0;
    std::cerr << "--- log of node " << i << ", which " << (process(i).runs() ? "runs" : "has ended")
              << "; its end\n"
              << all.substr(from);
  }
}

void NodeCluster::new_node() {
  auto node = std::make_unique<Node>();
  node->peers = network_ == nullptr ? free_port() : 7400;
  node->http = network_ == nullptr ? free_port() : 3500;
  nodes_.push_back(std::move(node));
}

std::string NodeCluster::host(std::size_t node) const {
  return network_ == nullptr ? "127.0.0.1" : VirtualNetwork::address(node + 1);
}

std::string NodeCluster::http_address(std::size_t node) const {
  return host(node) + ":" + std::to_string(http_port(node));
}

std::string NodeCluster::id(std::size_t node) {
  const std::string status = get(node, "/troupe/v1/status").body;
  constexpr std::string_view kBefore = R"("node":")";
  const std::size_t before = status.find(kBefore);
  check(before != std::string::npos, "a node says who it is");
  const std::size_t from = before + kBefore.size();
  return status.substr(from, status.find('"', from) - from);
}

std::string NodeCluster::data(std::size_t node) const {
  return directory_.path() + "/node" + std::to_string(node);
}

std::string NodeCluster::peers() const {
  std::string all;
  for (std::size_t i = 0; i < founders_; ++i) {
    all += (i == 0 ? "" : ",") + host(i) + ":" + std::to_string(nodes_[i]->peers);
  }
  return all;
}

void NodeCluster::start(std::size_t node, const std::vector<std::string>& flags) {
  std::vector<std::string> arguments{
      program_,   "--no-discovery",   "--data-dir",
      data(node), "--listen",         host(node) + ":" + std::to_string(peer_port(node)),
      "--http",   http_address(node), "--threads",
      "2"};
  if (std::ranges::find(flags, "--shards") == flags.end()) {
    arguments.insert(arguments.end(), {"--shards", "64"});
  }
  if (founders_ > 1) arguments.insert(arguments.end(), {"--join", peers()});
  if (founders_ > 1 && node < founders_) {
    arguments.insert(arguments.end(), {"--bootstrap-expect", std::to_string(founders_)});
  }
  if (network_ != nullptr) {
    arguments.insert(arguments.end(), {"--cluster-key-file", directory_.path() + "/cluster.key"});
  }
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  std::optional<int> name_space;
  if (network_ != nullptr) name_space = network_->name_space(node + 1);
  nodes_[node]->process.start(arguments, data(node) + ".log", name_space);
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
    options.addresses.push_back(http_address((node + i) % nodes_.size()));
  }
  options.retries_in_vain = 40;
  options.pause_max = 500ms;
  return Client(http_transport(options), timeout);
}

Client NodeCluster::client_of(std::size_t node, Duration timeout) const {
  return Client(ClientOptions{.addresses = {http_address(node)}, .timeout = timeout, .retries = 0});
}

Answer NodeCluster::get(std::size_t node, const std::string& target) {
  return send(node, "GET", target);
}

Answer NodeCluster::post(std::size_t node, const std::string& target, std::string body) {
  return send(node, "POST", target, std::move(body));
}

Answer NodeCluster::send(std::size_t node, const std::string& method, const std::string& target,
                         std::string body, net::HttpHeaders headers) {
  return http_.send({.host = host(node), .port = http_port(node)}, method, target, std::move(body),
                    std::move(headers));
}

}  // namespace troupe
