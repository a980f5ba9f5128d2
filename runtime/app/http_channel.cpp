#include "runtime/app/http_channel.h"

#include <deque>
#include <utility>

#include "runtime/base/guarded.h"
#include "runtime/net/connect_probe.h"

namespace troupe::app {
namespace {

net::HttpClientOptions client_options(const HttpChannelOptions& options) {
  net::HttpClientOptions client;
  client.connections_per_origin_max = 1024;
  client.queue_length_max = options.queue_length_max;
  client.connect_timeout = std::chrono::seconds(2);
  // Below what servers of all languages use, the shortest of which is two seconds.
  client.idle_timeout = std::chrono::milliseconds(1500);
  client.body_size_max = options.body_size_max;
  return client;
}

}  // namespace

struct HttpChannel::State : std::enable_shared_from_this<State> {
  struct Waiting {
    net::HttpRequest request;
    Time deadline;
    Done<net::HttpResponse> done;
  };
  struct Queue {
    std::size_t open = 0;
    std::deque<Waiting> waiting = {};
  };

  State(net::IoThreads& the_threads, net::Resolver& the_resolver, HttpChannelOptions the_options,
        std::function<void()> the_trouble)
      : threads(the_threads),
        resolver(the_resolver),
        options(std::move(the_options)),
        trouble(std::move(the_trouble)),
        client(threads, resolver, client_options(options)) {}

  void send(Waiting&& each);
  void ended();

  net::IoThreads& threads;
  net::Resolver& resolver;
  const HttpChannelOptions options;
  const std::function<void()> trouble;
  Guarded<Queue> queue;
  net::HttpClient client;
};

HttpChannel::HttpChannel(net::IoThreads& threads, net::Resolver& resolver,
                         HttpChannelOptions options, std::function<void()> trouble)
    : state_(std::make_shared<State>(threads, resolver, std::move(options), std::move(trouble))) {}

HttpChannel::~HttpChannel() { stop(); }

void HttpChannel::State::send(Waiting&& each) {
  auto done = [self = shared_from_this(),
               done = std::move(each.done)](Result<net::HttpResponse> answer) mutable {
    if (self->options.concurrency_max > 0) self->ended();
    const bool lost = !answer && (answer.error().code == Code::kUnavailable ||
                                  answer.error().code == Code::kUnknownOutcome);
    if (lost) self->trouble();
    done(std::move(answer));
  };
  client.send({.where = options.app}, std::move(each.request), each.deadline, std::move(done));
}

void HttpChannel::State::ended() {
  std::optional<Waiting> next = queue.with([](Queue& all) -> std::optional<Waiting> {
    if (all.waiting.empty()) {
      --all.open;
      return std::nullopt;
    }
    Waiting first = std::move(all.waiting.front());
    all.waiting.pop_front();
    return first;
  });
  if (next) send(*std::move(next));
}

void HttpChannel::ask(net::HttpRequest request, Time deadline, Done<net::HttpResponse> done) {
  State& state = *state_;
  if (!state.options.token.empty()) request.headers.set("dapr-api-token", state.options.token);
  State::Waiting asked{std::move(request), deadline, std::move(done)};
  if (state.options.concurrency_max == 0) return state.send(std::move(asked));
  enum class Place : std::uint8_t { kNow, kLater, kNever };
  const Place place = state.queue.with([&](State::Queue& all) {
    if (all.open < state.options.concurrency_max) {
      ++all.open;
      return Place::kNow;
    }
    if (all.waiting.size() >= state.options.queue_length_max) return Place::kNever;
    all.waiting.push_back(std::move(asked));
    return Place::kLater;
  });
  if (place == Place::kNow) return state.send(std::move(asked));
  if (place == Place::kLater) return;
  state.threads.pick()->post([done = std::move(asked.done)]() mutable {
    done(fail(Code::kExhausted, "too many requests wait for the app"));
  });
}

void HttpChannel::check(const std::string& path, Time deadline, Done<net::HttpResponse> done) {
  state_->client.send({.where = state_->options.app}, {.method = "GET", .target = path}, deadline,
                      std::move(done), {.repeatable = true});
}

void HttpChannel::probe(Time deadline, Done<void> done) {
  net::probe(state_->threads, state_->resolver, state_->options.app, deadline, std::move(done));
}

// What waits is sent as others end, and fails at once, until nothing waits any more.
void HttpChannel::stop() { state_->client.stop(); }

}  // namespace troupe::app
