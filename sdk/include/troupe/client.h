#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <troupe/actor.h>
#include <troupe/actor_key.h>
#include <troupe/error.h>
#include <troupe/message.h>
#include <troupe/methods.h>
#include <troupe/result.h>
#include <troupe/time.h>

/// Calls to actors from programs that are not actors.
namespace troupe {

/// One call of a client.
struct ClientCall {
  ActorKey target;
  std::string method;
  Payload message;
  std::string content_type;
  Duration timeout{0};     // from now; more than 0
  bool read_only = false;  // of a const method: has no effect however often it runs
};

/// How calls travel: over HTTP, in the same process, or to the testing kit.
class ClientTransport {
 public:
  virtual ~ClientTransport() = default;

  /// Waits for the reply, `call.timeout` at most. Thread-safe.
  virtual Result<Payload> call(const ClientCall& call) = 0;
};

struct ClientOptions {
  /// Nodes, `host:port`; one is enough, further ones are asked when it does not answer.
  std::vector<std::string> addresses = {"127.0.0.1:3500"};
  std::string token = {};                       // API token, if the nodes ask for one
  Duration timeout = std::chrono::seconds(60);  // of a call that has none of its own
  /// How often a call is sent again at most when a node cannot be reached, dies or has no answer;
  /// by default as often as its time-out allows. It takes effect once, and fails as kUnknownOutcome
  /// if nobody could say in time whether it did. 0: every address is asked once.
  std::uint32_t retries = std::numeric_limits<std::uint32_t>::max();
  /// An address of which nothing was heard for so long, while a call waits for it, is asked whether
  /// it is there. If it does not say so within a second, its calls go on at the next address, and
  /// it is avoided until it does. 0: never, they wait until their time-out.
  Duration late_after = std::chrono::seconds(1);
};

/// A call that has not been made yet: get() or result() make it, once, and wait.
template <class T>
class [[nodiscard("get() or result() make the call")]] ClientRequest {
 public:
  ClientRequest(std::shared_ptr<ClientTransport> transport, ClientCall call)
      : transport_(std::move(transport)), call_(std::move(call)) {}

  ClientRequest&& with_timeout(Duration timeout) && {
    call_.timeout = timeout;
    return std::move(*this);
  }

  /// The reply. Throws CallError.
  T get() && {
    Result<T> reply = std::move(*this).result();
    if (!reply) throw CallError(call_.target, call_.method, reply.error());
    if constexpr (!std::is_void_v<T>) return std::move(*reply);
  }

  /// The reply, or why there is none.
  Result<T> result() && {
    const Result<Payload> reply = transport_->call(call_);
    if (!reply) return fail(reply.error());
    return decode_message<T>(*reply);
  }

 private:
  std::shared_ptr<ClientTransport> transport_;
  ClientCall call_;
};

/// An actor of whatever type, called by names.
class ForeignClientActor {
 public:
  ForeignClientActor(std::shared_ptr<ClientTransport> transport, ActorKey key, Duration timeout)
      : transport_(std::move(transport)), key_(std::move(key)), timeout_(timeout) {}

  const ActorKey& key() const { return key_; }

  /// `R` is what the reply is read as: `actor.call<Balance>("GetBalance", day).get()`.
  template <class R, class A>
  ClientRequest<R> call(std::string method, const A& message) const {
    return request<R>(std::move(method), encode_message(message), std::string(content_type<A>()));
  }
  template <class R = void>
  ClientRequest<R> call(std::string method) const {
    return request<R>(std::move(method), {}, {});
  }
  /// The bytes as they are, both ways.
  ClientRequest<Payload> call_raw(std::string method, Payload message,
                                  std::string content_type = "application/json") const {
    return request<Payload>(std::move(method), std::move(message), std::move(content_type));
  }

 protected:
  template <class R>
  ClientRequest<R> request(std::string method, Payload message, std::string content_type,
                           bool read_only = false) const {
    return {transport_,
            {key_, std::move(method), std::move(message), std::move(content_type), timeout_,
             read_only}};
  }

 private:
  std::shared_ptr<ClientTransport> transport_;
  ActorKey key_;
  Duration timeout_;
};

/// An actor of class `A`, for a client:
///
///     int count = client.actor<Cart>("c1").call<&Cart::add>({"tea", 4}).get();
template <class A>
class ClientActor final : public ForeignClientActor {
 public:
  using ForeignClientActor::ForeignClientActor;

  template <auto kMethod>
    requires MethodOf<kMethod, A> && TakesMessage<kMethod>
  ClientRequest<ResultOf<kMethod>> call(const ArgumentOf<kMethod>& message) const {
    detail::check_callable<kMethod, A>();
    using T = ArgumentOf<kMethod>;
    return request<ResultOf<kMethod>>(name<kMethod>(), encode_message<T>(message),
                                      std::string(content_type<T>()),
                                      detail::SignatureOf<kMethod>::kConst);
  }
  template <auto kMethod>
    requires MethodOf<kMethod, A> && (!TakesMessage<kMethod>)
  ClientRequest<ResultOf<kMethod>> call() const {
    detail::check_callable<kMethod, A>();
    return request<ResultOf<kMethod>>(name<kMethod>(), {}, {},
                                      detail::SignatureOf<kMethod>::kConst);
  }

  /// For a method whose reply is of no interest. Returns when its effect is committed; throws
  /// CallError if it is not, or if that is not known.
  template <auto kMethod>
    requires MethodOf<kMethod, A> && TakesMessage<kMethod>
  void send(const ArgumentOf<kMethod>& message) const {
    using T = ArgumentOf<kMethod>;
    request<Payload>(name<kMethod>(), encode_message<T>(message), std::string(content_type<T>()))
        .get();
  }
  template <auto kMethod>
    requires MethodOf<kMethod, A> && (!TakesMessage<kMethod>)
  void send() const {
    request<Payload>(name<kMethod>(), {}, {}).get();
  }

 private:
  template <auto kMethod>
  static std::string name() {
    return std::string(A::Methods::template name<kMethod>());
  }
};

/// Calls actors of a cluster from any program. Cheap to copy. Thread-safe.
class Client {
 public:
  /// Over HTTP. Connects with the first call.
  explicit Client(ClientOptions options);
  /// Over whatever carries calls. Calls without a timeout of their own wait so long.
  explicit Client(std::shared_ptr<ClientTransport> transport,
                  Duration timeout = std::chrono::seconds(60))
      : transport_(std::move(transport)), timeout_(timeout) {}

  template <class A>
  ClientActor<A> actor(std::string id) const {
    return {transport_, {std::string(actor_type_name<A>()), std::move(id)}, timeout_};
  }
  /// One of another language or program.
  ForeignClientActor actor(ActorKey key) const { return {transport_, std::move(key), timeout_}; }

 private:
  std::shared_ptr<ClientTransport> transport_;
  Duration timeout_;
};

}  // namespace troupe
