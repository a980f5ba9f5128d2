#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "runtime/app/app_channel.h"
#include "runtime/net/http_client.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"

namespace troupe::app {

struct HttpChannelOptions {
  net::HostPort app = {};           // where the app listens
  std::size_t concurrency_max = 0;  // requests in the app at once; 0: as many as there are
  std::string token = {};           // shown to the app as `dapr-api-token`; empty: none
  std::size_t body_size_max = 4 * 1024 * 1024;
  std::size_t queue_length_max = 10'000;  // waiting for their share of the concurrency
};

/// The app over HTTP/1.1, by kept connections.
class HttpChannel final : public AppChannel {
 public:
  /// `trouble` is called whenever a request met nobody, or lost its connection: on any thread; must
  /// not block. `threads` and `resolver` outlive it.
  HttpChannel(net::IoThreads& threads, net::Resolver& resolver, HttpChannelOptions options,
              std::function<void()> trouble);
  ~HttpChannel() override;

  void ask(net::HttpRequest request, Time deadline, Done<net::HttpResponse> done) override;
  void check(const std::string& path, Time deadline, Done<net::HttpResponse> done) override;
  void probe(Time deadline, Done<void> done) override;

  /// Fails what is begun and what waits. When it returns, every `done` of ask() has been called.
  /// Not from an io thread. Idempotent.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace troupe::app
