#include "sdk/src/http_client_transport.h"

#include <algorithm>
#include <array>
#include <future>
#include <string_view>
#include <utility>

#include "runtime/base/deadline.h"
#include "runtime/base/guarded.h"
#include "runtime/base/ids.h"
#include "runtime/base/random.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"
#include "runtime/net/url.h"
#include "sdk/src/call_numbers.h"
#include "sdk/src/silence_watch.h"
#include <troupe/json.h>

namespace troupe {
namespace {

// The body of an API error.
struct ErrorBody {
  std::string errorCode;  // NOLINT(readability-identifier-naming): as on the wire
  std::string message;
};

struct CodeName {
  std::string_view name;
  Code code;
};
// The header in which a node names the code itself: several codes share a status.
constexpr std::string_view kCodeHeader = "troupe-code";
// The call's name through all its attempts, and which one this is: runtime/api/call_key.h.
constexpr std::string_view kCallKeyHeader = "troupe-call-key";
constexpr std::string_view kCallAttemptHeader = "troupe-call-attempt";
// And which of the caller's calls are not sent again.
constexpr std::string_view kCallsDoneHeader = "troupe-calls-done-below";
// An earlier attempt took effect, and its reply is not known any more.
constexpr std::string_view kAppliedBeforeHeader = "troupe-applied-before";
constexpr std::array kCodeNames{
    CodeName{"invalid", Code::kInvalid},
    CodeName{"not found", Code::kNotFound},
    CodeName{"conflict", Code::kConflict},
    CodeName{"precondition", Code::kPrecondition},
    CodeName{"unauthenticated", Code::kUnauthenticated},
    CodeName{"denied", Code::kDenied},
    CodeName{"exhausted", Code::kExhausted},
    CodeName{"cancelled", Code::kCancelled},
    CodeName{"timeout", Code::kTimeout},
    CodeName{"unknown outcome", Code::kUnknownOutcome},
    CodeName{"unavailable", Code::kUnavailable},
    CodeName{"unimplemented", Code::kUnimplemented},
    CodeName{"application", Code::kApplication},
    CodeName{"data loss", Code::kDataLoss},
    CodeName{"internal", Code::kInternal},
};

// How the API begins the messages of failed calls; the texts of the actor itself come after it.
constexpr std::string_view kInvokeText = "error invoke actor method: ";
constexpr std::string_view kThrownText = "error from actor service: (500) ";
constexpr std::string_view kNoSuchMethodText = "actor method not found: ";
constexpr std::string_view kNoSuchActorText = "failed to lookup actor: ";

bool skip(std::string& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return false;
  text.erase(0, beginning.size());
  return true;
}

Code code_of_status(int status) {
  switch (status) {
    case 400:
    case 413:
      return Code::kInvalid;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kDenied;
    case 404:
      return Code::kNotFound;
    case 408:
      return Code::kCancelled;
    case 409:
      return Code::kConflict;
    case 412:
      return Code::kPrecondition;
    case 429:
      return Code::kExhausted;
    case 501:
      return Code::kUnimplemented;
    case 503:
      return Code::kUnavailable;
    case 504:
      return Code::kTimeout;
    default:
      return Code::kUnknownOutcome;
  }
}

Error error_of(const net::HttpResponse& response) {
  std::string message(response.body.view());
  if (const Result<ErrorBody> body = from_json<ErrorBody>(message)) message = body->message;
  Code code = code_of_status(response.status);
  if (skip(message, kInvokeText) && response.status == 500) {
    if (skip(message, kThrownText)) code = Code::kApplication;
    if (skip(message, kNoSuchMethodText)) code = Code::kUnimplemented;
    if (skip(message, kNoSuchActorText)) code = Code::kNotFound;
  }
  if (const auto name = response.headers.find(kCodeHeader)) {
    const auto named = std::ranges::find(kCodeNames, *name, &CodeName::name);
    if (named != kCodeNames.end()) code = named->code;
  }
  if (message.empty()) message = "the node answered " + std::to_string(response.status);
  return {code, std::move(message)};
}

bool certainly_without_effect(Code code) {
  return code == Code::kUnavailable || code == Code::kExhausted;
}

// The first attempt would have been refused likewise; or it is known to have taken effect.
bool says_the_same_of_every_attempt(Code code) {
  return code == Code::kInvalid || code == Code::kUnimplemented || code == Code::kDataLoss;
}

std::string target_of(const ClientCall& call) {
  return "/v1.0/actors/" + net::encode_path_segment(call.target.type) + "/" +
         net::encode_path_segment(call.target.id) + "/method/" +
         net::encode_path_segment(call.method);
}

net::HttpRequest request_of(const ClientCall& call, const std::string& token) {
  net::HttpRequest request{.method = "POST", .target = target_of(call), .body = call.message};
  if (!call.content_type.empty()) request.headers.add("Content-Type", call.content_type);
  if (!token.empty()) request.headers.add("dapr-api-token", token);
  return request;
}

}  // namespace

Result<Payload> reply_of(const net::HttpResponse& response) {
  const bool fine = response.status >= 200 && response.status < 300;
  if (!fine) return fail(error_of(response));
  if (response.headers.contains(kAppliedBeforeHeader)) {
    return fail(Code::kDataLoss, "it took effect, but its reply was longer than is kept");
  }
  // Dapr's way to send an actor's own error as the answer of a call that worked.
  if (response.headers.contains("X-DaprErrorResponseHeader")) {
    return fail(Code::kApplication, std::string(response.body.view()));
  }
  return response.body;
}

struct HttpClientTransport::Nodes {
  Clock& clock;
  Executor& pauses;
  net::HttpClient& http;
  HttpClientTransportOptions options;
  std::vector<net::HttpOrigin> origins = {};
  std::optional<Error> error = {};           // of the addresses
  std::shared_ptr<SilenceWatch> silence{};   // none if there is nobody else to ask
  std::atomic<std::size_t> answers_now{0};   // index of the one that answered last
  std::atomic<bool> reached{false};          // somebody has answered
  const std::uint64_t seed = random_seed();  // of pauses
  std::atomic<std::uint64_t> calls{0};
  Guarded<CallNumbers> numbers{};
};

// One call, from address to address until it is answered or given up. Lives in the completions of
// what it waits for.
class HttpClientTransport::Attempts final : public std::enable_shared_from_this<Attempts> {
 public:
  Attempts(std::shared_ptr<Nodes> nodes, const ClientCall& call,
           std::promise<Result<Payload>> promise)
      : nodes_(std::move(nodes)),
        request_(request_of(call, nodes_->options.token)),
        read_only_(call.read_only),
        keyed_(!call.read_only && call.timeout <= kKeyedTimeoutMax),
        number_(nodes_->calls.fetch_add(1, std::memory_order_relaxed)),
        what_(call.target.type + "/" + call.target.id + "." + call.method),
        deadline_(after(nodes_->clock.now(), call.timeout)),
        pause_(nodes_->options.pause),
        node_(speaking(nodes_->answers_now.load(std::memory_order_relaxed))),
        promise_(std::move(promise)) {
    if (!keyed_) return;
    name_ = nodes_->numbers.with([](CallNumbers& numbers) { return numbers.begin(); });
    request_.headers.add(kCallKeyHeader,
                         to_string(name_.caller->id) + "-" + std::to_string(name_.number));
  }

  void begin() {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - nodes_->clock.now());
    if (left <= std::chrono::milliseconds::zero()) return too_late();
    net::HttpRequest request = request_;
    request.headers.set("troupe-timeout-ms", std::to_string(left.count()));
    if (keyed_) request.headers.set(kCallsDoneHeader, std::to_string(done_below()));
    if (keyed_ && uncertain_ > 0) {
      request.headers.set(kCallAttemptHeader, std::to_string(uncertain_ + 1));
    }
    Nodes& nodes = *nodes_;
    const net::HttpOrigin& origin = nodes.origins[node_];
    const Time deadline = deadline_;
    const auto self = shared_from_this();
    const auto waiter = wait();  // from here on it may already go on elsewhere, on another thread
    nodes.http.send(origin, std::move(request), deadline,
                    [self, waiter](Result<net::HttpResponse> response) {
                      if (waiter && !self->nodes_->silence->ended(*waiter, response.has_value()))
                        return;
                      self->answered(std::move(response));
                    });
  }

 private:
  std::uint64_t done_below() const {
    return nodes_->numbers.with([&](const CallNumbers&) { return name_.caller->done_below(); });
  }

  std::size_t speaking(std::size_t address) const {
    return nodes_->silence == nullptr ? address : nodes_->silence->speaking(address);
  }

  std::optional<SilenceWatch::Waiter> wait() {
    if (nodes_->silence == nullptr || !may_send_again(Code::kUnknownOutcome)) return std::nullopt;
    return nodes_->silence->wait(node_, [self = shared_from_this()] {
      self->answered(fail(Code::kUnknownOutcome, "it does not answer, nor says that it is there"));
    });
  }

  void answered(Result<net::HttpResponse> response) {
    Result<Payload> reply = response ? reply_of(*response) : fail(response.error());
    if (response) nodes_->reached.store(true, std::memory_order_relaxed);
    if (reply || !may_send_again(reply.error().code)) {
      if (response) nodes_->answers_now.store(node_, std::memory_order_relaxed);
      if (!response) {
        return settle({reply.error().code, what_ + " at " + nodes_->options.addresses[node_] +
                                               ": " + reply.error().message});
      }
      return reply ? end(std::move(reply)) : settle(reply.error());
    }
    last_code_ = reply.error().code;
    last_error_ = nodes_->options.addresses[node_] + ": " + reply.error().message;
    if (last_code_ == Code::kUnknownOutcome) ++uncertain_;
    go_on();
  }

  bool may_send_again(Code code) const {
    return certainly_without_effect(code) ||
           (code == Code::kUnknownOutcome && (keyed_ || read_only_));
  }

  void go_on() {
    const std::size_t addresses = nodes_->origins.size();
    const HttpClientTransportOptions& options = nodes_->options;
    const auto most = [&](std::uint32_t retries) {
      return std::max<std::size_t>(addresses, std::size_t{retries} + 1);
    };
    if (last_code_ == Code::kExhausted || !nodes_->reached.load(std::memory_order_relaxed)) {
      ++in_vain_;
    }
    if (++attempts_ >= most(options.retries) || in_vain_ >= most(options.retries_in_vain)) {
      return give_up();
    }
    node_ = speaking((node_ + 1) % addresses);
    // Somebody not asked yet is asked at once.
    if (attempts_ < addresses) return begin();
    // Callers who lost the same node do not come back at the same moment.
    Random random(nodes_->seed + (number_ << 16U) + attempts_);
    const Duration half = pause_ / 2;
    const Duration pause =
        pause_ - half + Duration(random.below(static_cast<std::uint64_t>(half.count()) + 1));
    const Time when = std::min(nodes_->clock.now() + pause, deadline_);
    pause_ = std::min(pause_ * 2, options.pause_max);
    nodes_->pauses.post_at(when, [self = shared_from_this()] { self->begin(); });
  }

  void too_late() {
    if (attempts_ > 0) return give_up();
    end(fail(Code::kTimeout, what_ + " was not sent in time"));
  }

  void give_up() {
    const bool unknown = uncertain_ > 0 && keyed_;
    end(fail(unknown ? Code::kUnknownOutcome : last_code_,
             what_ + " was given up after " + std::to_string(attempts_) + " attempts" +
                 (unknown ? ", and may have taken effect" : "") + "; last, " + last_error_));
  }

  // An error is no proof that an earlier attempt had no effect: what the actor refuses now may be
  // for what that one has changed.
  void settle(const Error& error) {
    const bool sure = uncertain_ == 0 || !keyed_ || says_the_same_of_every_attempt(error.code);
    if (sure) return end(fail(error));
    end(fail(Code::kUnknownOutcome, what_ +
                                        ": an earlier attempt may have taken effect, and the last "
                                        "one failed: " +
                                        error.message));
  }

  void end(Result<Payload> reply) {
    if (keyed_) nodes_->numbers.with([&](CallNumbers&) { CallNumbers::end(name_); });
    promise_.set_value(std::move(reply));
  }

  std::shared_ptr<Nodes> nodes_;
  net::HttpRequest request_;
  const bool read_only_;
  const bool keyed_;
  const std::uint64_t number_;
  CallNumbers::Name name_;  // if it has a key
  std::string what_;
  Time deadline_;
  Duration pause_;
  std::size_t node_;
  std::size_t attempts_ = 0;   // that have ended
  std::size_t in_vain_ = 0;    // of these: nobody there, or overloaded
  std::size_t uncertain_ = 0;  // of these: may have run
  Code last_code_ = Code::kTimeout;
  std::string last_error_;
  std::promise<Result<Payload>> promise_;
};

HttpClientTransport::HttpClientTransport(const HttpClientTransportParts& parts,
                                         const HttpClientTransportOptions& options)
    : nodes_(new Nodes{
          .clock = parts.clock, .pauses = parts.pauses, .http = parts.http, .options = options}) {
  for (const std::string& address : options.addresses) {
    Result<net::HostPort> where = net::parse_host_port(address);
    if (where) {
      nodes_->origins.push_back({.where = *std::move(where)});
    } else {
      nodes_->error = Error{Code::kInvalid, "'" + address +
                                                "' is no address of a node: it is host:port, such "
                                                "as 127.0.0.1:3500"};
    }
  }
  if (options.addresses.empty()) {
    nodes_->error = Error{Code::kInvalid, "a client needs the address of a node"};
  }
  if (nodes_->origins.size() > 1 && options.silence.late_after > Duration::zero()) {
    nodes_->silence = std::make_shared<SilenceWatch>(parts.clock, parts.ticks, parts.probes,
                                                     nodes_->origins, options.silence);
  }
}

Result<Payload> HttpClientTransport::call(const ClientCall& call) {
  if (nodes_->error) return fail(*nodes_->error);
  std::promise<Result<Payload>> promise;
  std::future<Result<Payload>> reply = promise.get_future();
  std::make_shared<Attempts>(nodes_, call, std::move(promise))->begin();
  return reply.get();
}

namespace {

// Parts in the order in which they need each other.
class OwnTransport final : public ClientTransport {
 public:
  explicit OwnTransport(const HttpClientTransportOptions& options)
      : transport_({clock_, pauses_, pauses_, http_, probes_}, options) {}

  Result<Payload> call(const ClientCall& call) override { return transport_.call(call); }

 private:
  SystemClock clock_;
  Loop pauses_{clock_, "client"};
  net::IoThreads threads_{clock_, {.threads = 1}};
  net::Resolver resolver_{1};
  net::HttpClient http_{threads_, resolver_, {}};
  net::HttpClient probes_{threads_, resolver_, {.connections_per_origin_max = 1}};
  HttpClientTransport transport_;
};

}  // namespace

std::shared_ptr<ClientTransport> http_transport(const HttpClientTransportOptions& options) {
  return std::make_shared<OwnTransport>(options);
}

Client::Client(ClientOptions options)
    : transport_(http_transport({.addresses = std::move(options.addresses),
                                 .token = std::move(options.token),
                                 .retries = options.retries,
                                 .silence = {.late_after = options.late_after}})),
      timeout_(options.timeout) {}

}  // namespace troupe
