#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/net/http_message.h"
#include "runtime/net/socket_address.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::tools {

/// The HTTP API of one node, asked and waited for. Belongs to one thread.
class NodeApi {
 public:
  struct Options {
    net::HostPort address = {.host = "127.0.0.1", .port = 3500};
    std::string token = {};  // of the API, if the node wants one
    Duration timeout = std::chrono::seconds(60);
  };

  explicit NodeApi(Options options);
  ~NodeApi();

  /// The body of the answer. Errors say what to do: kUnavailable where nobody answers; where the
  /// node refuses, its own message.
  Result<std::string> get(const std::string& target);
  Result<std::string> post(const std::string& target, std::string body,
                           std::string_view content_type = "application/json");
  Result<std::string> remove(const std::string& target);
  /// With any verb; a body that is not empty goes as JSON.
  Result<std::string> send(const std::string& verb, const std::string& target, std::string body);

 private:
  struct State;
  Result<std::string> ask(net::HttpRequest request);

  std::unique_ptr<State> state_;
};

/// A path of these parts, each encoded: `/troupe/v1/state/Cart/a%2Fb`.
std::string path_of(std::string_view root, const std::vector<std::string>& parts);

}  // namespace troupe::tools
