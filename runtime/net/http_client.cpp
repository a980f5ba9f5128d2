#include "runtime/net/http_client.h"

#include <algorithm>
#include <list>
#include <map>
#include <utility>
#include <vector>

#include "runtime/net/http_client_connection.h"
#include "runtime/net/http_format.h"

namespace troupe::net {
namespace {

std::string text(const HttpOrigin& origin) {
  return origin.unix_path.empty() ? to_string(origin.where) : "unix socket " + origin.unix_path;
}

// What goes into the Host header; the port that everybody means is left out.
std::string host_header(const HttpOrigin& origin) {
  if (!origin.unix_path.empty()) return "localhost";
  std::string host = to_string(origin.where);
  return origin.where.port == 80 ? host.substr(0, host.rfind(':')) : host;
}

/// The connections and waiting calls for one origin on one io thread.
class Pool final : public HttpClientConnection::Owner, public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::shared_ptr<IoThread> thread, Resolver& resolver, const HttpClientOptions& options,
       HttpOrigin origin)
      : thread_(std::move(thread)),
        resolver_(resolver),
        options_(options),
        origin_(std::move(origin)),
        where_(text(origin_)) {}

  bool unused() const { return waiting_.empty() && connections_.size() == idle_.size(); }

  void begin(std::shared_ptr<HttpCall> call) {
    if (waiting_.size() >= options_.queue_length_max) {
      return call->finish(fail(Code::kExhausted, "too many requests wait for " + where_));
    }
    if (call->deadline <= thread_->wheel().now()) {
      return call->finish(
          fail(Code::kTimeout, "the deadline passed before " + where_ + " could be asked"));
    }
    enqueue(waiting_.end(), std::move(call));
    thread_->wheel().set(waiting_.back()->timeout, waiting_.back()->deadline);
    pump();
  }

  void close() {
    closed_ = true;
    idle_.clear();
    for (const auto& connection : std::exchange(connections_, {})) connection->close();
    fail_waiting(Error{Code::kCancelled, "the HTTP client has stopped"});
  }

  void ready(HttpClientConnection& connection) override {
    std::erase(fresh_, &connection);
    idle_.push_back(&connection);
    pump();
  }

  void ended(HttpClientConnection& connection, const Error* connect_error) override {
    if (closed_) return;
    std::erase(fresh_, &connection);
    std::erase(idle_, &connection);
    std::erase_if(connections_, [&](const auto& one) { return one.get() == &connection; });
    // While others are open there is hope yet.
    if (connect_error && connections_.size() == fresh_.size()) return fail_waiting(*connect_error);
    pump_later();
  }

  void again(std::shared_ptr<HttpCall> call) override {
    enqueue(waiting_.begin(), std::move(call));
    pump_later();
  }

 private:
  using Calls = std::list<std::shared_ptr<HttpCall>>;

  void enqueue(Calls::iterator before, std::shared_ptr<HttpCall> call) {
    const auto place = waiting_.insert(before, std::move(call));
    (*place)->expired = [this, place] {
      const std::shared_ptr<HttpCall> late = std::move(*place);
      waiting_.erase(place);
      late->finish(fail(late->attempts == 0 ? Code::kTimeout : Code::kUnknownOutcome,
                        "the deadline passed before " + where_ + " could be asked"));
    };
  }

  void pump_later() {
    thread_->post([self = shared_from_this()] {
      if (!self->closed_) self->pump();
    });
  }

  void pump() {
    while (!waiting_.empty()) {
      if (idle_.empty()) {
        if (fresh_.size() >= waiting_.size() ||
            connections_.size() >= options_.connections_per_origin_max) {
          return;
        }
        open();
        continue;
      }
      // The last used first: the others may then grow old and be closed.
      HttpClientConnection* connection = idle_.back();
      idle_.pop_back();
      if (!connection->alive()) {
        connection->close();
        std::erase_if(connections_, [&](const auto& one) { return one.get() == connection; });
        continue;
      }
      std::shared_ptr<HttpCall> call = std::move(waiting_.front());
      waiting_.pop_front();
      connection->send(std::move(call));
    }
  }

  void open() {
    auto connection = HttpClientConnection::make(thread_, *this, options_, where_);
    connections_.push_back(connection);
    fresh_.push_back(connection.get());
    if (!origin_.unix_path.empty()) return connection->open_unix(origin_.unix_path);
    if (const auto numeric = parse_numeric_host(origin_.where.host, origin_.where.port)) {
      return connection->open({*numeric});
    }
    resolver_.resolve(origin_.where, [self = shared_from_this(),
                                      connection](Result<std::vector<SocketAddress>> found) {
      self->thread_->post([self, connection, found = std::move(found)] {
        if (self->closed_) return;
        if (found) return connection->open(*found);
        const Error& error = found.error();
        connection->close();
        self->ended(*connection, &error);
      });
    });
  }

  void fail_waiting(const Error& why) {
    for (const auto& call : std::exchange(waiting_, {})) call->finish(fail(why));
  }

  const std::shared_ptr<IoThread> thread_;
  Resolver& resolver_;
  const HttpClientOptions& options_;
  const HttpOrigin origin_;
  const std::string where_;
  Calls waiting_;
  std::vector<std::shared_ptr<HttpClientConnection>> connections_;
  std::vector<HttpClientConnection*> idle_;   // the last used last
  std::vector<HttpClientConnection*> fresh_;  // not connected yet
  bool closed_ = false;
};

/// What the client has on one io thread.
struct Shard {
  void begin(const HttpOrigin& origin, std::shared_ptr<HttpCall> call) {
    if (stopped) return call->finish(fail(Code::kCancelled, "the HTTP client has stopped"));
    auto pool = pools.find(origin);
    if (pool == pools.end()) {
      if (pools.size() >= options.origins_max) forget_unused();
      if (pools.size() >= options.origins_max) {
        return call->finish(fail(Code::kExhausted, "requests to too many hosts at once"));
      }
      pool = pools.emplace(origin, std::make_shared<Pool>(thread, resolver, options, origin)).first;
    }
    pool->second->begin(std::move(call));
  }

  void forget_unused() {
    std::erase_if(pools, [](const auto& entry) {
      const bool unused = entry.second->unused();
      if (unused) entry.second->close();
      return unused;
    });
  }

  void stop() {
    stopped = true;
    for (const auto& [origin, pool] : pools) pool->close();
    pools.clear();
  }

  std::shared_ptr<IoThread> thread;
  Resolver& resolver;
  const HttpClientOptions options;  // this thread's share
  std::map<HttpOrigin, std::shared_ptr<Pool>> pools = {};
  bool stopped = false;
};

}  // namespace

struct HttpClient::State {
  IoThreads& threads;
  std::vector<std::shared_ptr<Shard>> shards = {};
};

HttpClient::HttpClient(IoThreads& threads, Resolver& resolver, HttpClientOptions options)
    : state_(std::make_shared<State>(State{threads})) {
  const auto share = [&](std::size_t whole) {
    return std::max<std::size_t>(1, (whole + threads.size() - 1) / threads.size());
  };
  options.connections_per_origin_max = share(options.connections_per_origin_max);
  options.queue_length_max = share(options.queue_length_max);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    state_->shards.push_back(std::make_shared<Shard>(Shard{threads.thread(i), resolver, options}));
  }
}

HttpClient::~HttpClient() { stop(); }

void HttpClient::send(HttpOrigin origin, HttpRequest request, Time deadline,
                      Done<HttpResponse> done, HttpSendOptions options) {
  const std::shared_ptr<IoThread> thread = state_->threads.pick();
  const auto call = std::make_shared<HttpCall>();
  call->done = std::move(done);
  call->deadline = deadline;
  call->to_head = request.method == "HEAD";
  call->repeatable = options.repeatable;
  const auto framed = append_head(call->head, request, host_header(origin));
  if (!framed) {
    return thread->post([call, error = framed.error()] { call->finish(fail(error)); });
  }
  call->body = std::move(request.body);
  const auto shard = std::ranges::find(state_->shards, thread, &Shard::thread);
  thread->post([shard = *shard, origin = std::move(origin), call] { shard->begin(origin, call); });
}

void HttpClient::stop() {
  for (const auto& shard : state_->shards) {
    shard->thread->run([&] { shard->stop(); });
  }
}

}  // namespace troupe::net
