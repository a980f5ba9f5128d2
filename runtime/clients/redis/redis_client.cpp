#include "runtime/clients/redis/redis_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"
#include "runtime/net/socket_system.h"

namespace troupe::clients {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(50);  // of deadlines
constexpr Duration kSilenceMax = std::chrono::seconds(1);  // beyond the oldest deadline
constexpr std::size_t kReadSize = std::size_t{64} << 10;

class File {
 public:
  explicit File(int number = -1) : number_(number) {}
  File(File&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~File() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_;
};

struct FreeReader {
  void operator()(redisReader* reader) const { redisReaderFree(reader); }
};
struct FreeReply {
  void operator()(void* reply) const { freeReplyObject(reply); }
};

RedisReply to_reply(const redisReply& from) {
  RedisReply reply;
  switch (from.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = RedisReply::Kind::kText;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = RedisReply::Kind::kError;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_INTEGER:
      reply.kind = RedisReply::Kind::kInteger;
      reply.integer = from.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = RedisReply::Kind::kList;
      for (std::size_t i = 0; i < from.elements; ++i) {
        reply.items.push_back(to_reply(*from.element[i]));
      }
      break;
    default:
      break;
  }
  return reply;
}

void append(std::string& out, const RedisCommand& command) {
  out += '*' + std::to_string(command.size()) + "\r\n";
  for (const std::string& each : command) {
    out += '$' + std::to_string(each.size()) + "\r\n";
    out += each;
    out += "\r\n";
  }
}

struct Batch {
  std::vector<RedisCommand> commands = {};
  bool repeatable = false;
  Time deadline = {};
  Done<std::vector<RedisReply>> done = {};  // null once answered: its replies are thrown away
  std::size_t attempts = 0;
  std::vector<RedisReply> replies = {};
};

}  // namespace

class RedisClient::Thread {
 public:
  Thread(Clock& clock, RedisOptions options)
      : clock_(clock),
        options_(std::move(options)),
        bell_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    static_cast<void>(thread_.post([this] { run(); }));
  }

  void send(Batch batch) {
    const std::size_t size = batch.commands.size();
    const bool taken = inbox_.with([&](Inbox& inbox) {
      if (inbox.stopped || inbox.commands + size > options_.queue_max) return false;
      inbox.commands += size;
      inbox.batches.push_back(std::move(batch));
      return true;
    });
    if (taken) return ring();
    batch.done(fail(Code::kExhausted, name() + ": too many commands wait already"));
  }

  void stop() {
    inbox_.with([](Inbox& inbox) { inbox.stopped = true; });
    ring();
    thread_.stop();
  }

 private:
  struct Inbox {
    std::deque<Batch> batches;
    std::size_t commands = 0;  // waiting or under way, anywhere
    bool stopped = false;
  };

  std::string name() const {
    return "redis " + options_.host + ":" + std::to_string(options_.port);
  }

  void ring() const {
    const std::uint64_t one = 1;
    static_cast<void>(::write(bell_.number(), &one, sizeof one));
  }

  // One round after another until it is stopped.
  void run() {
    while (take_new()) {
      const Time now = clock_.now();
      if (now >= next_look_) expire(now);
      if (!socket_.open() && !waiting_.empty() && now >= next_attempt_) connect(now);
      if (connected_) fill();
      wait(now);
    }
    drop_connection();
    for (auto* queue : {&sent_, &waiting_}) {
      while (!queue->empty()) end(*queue, fail(Code::kUnavailable, name() + ": is closed"));
    }
  }

  bool take_new() {
    return inbox_.with([&](Inbox& inbox) {
      for (Batch& each : inbox.batches) waiting_.push_back(std::move(each));
      inbox.batches.clear();
      return !inbox.stopped;
    });
  }

  // Answers and forgets the first of `queue`.
  void end(std::deque<Batch>& queue, Result<std::vector<RedisReply>> result) {
    Batch batch = std::move(queue.front());
    queue.pop_front();
    inbox_.with([&](Inbox& inbox) { inbox.commands -= batch.commands.size(); });
    if (batch.done) batch.done(std::move(result));
  }

  void expire(Time now) {
    next_look_ = now + kTick;
    for (std::size_t count = waiting_.size(); count > 0; --count) {
      if (now >= waiting_.front().deadline) {
        end(waiting_,
            fail(Code::kTimeout,
                 name() + ": " + (problem_.empty() ? "no connection in time" : problem_)));
        continue;
      }
      waiting_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    for (Batch& each : sent_) {
      if (!each.done || now < each.deadline) continue;
      const Code code = each.repeatable ? Code::kTimeout : Code::kUnknownOutcome;
      std::exchange(each.done, nullptr)(fail(code, name() + ": did not answer in time"));
    }
    if (!sent_.empty() && now >= sent_.front().deadline + kSilenceMax) broken("does not answer");
    if (socket_.open() && !connected_ && now >= connect_until_) {
      refused("no connection within the time-out");
    }
  }

  void connect(Time now) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code =
        ::getaddrinfo(options_.host.c_str(), std::to_string(options_.port).c_str(), &hints, &found);
    if (code != 0) return refused(::gai_strerror(code));
    File socket(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    int error = socket.open() ? 0 : errno;
    if (error == 0 && ::connect(socket.number(), found->ai_addr, found->ai_addrlen) != 0) {
      error = errno == EINPROGRESS ? 0 : errno;
    }
    ::freeaddrinfo(found);
    if (error != 0) return refused(net::error_text(error));
    const int on = 1;
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    socket_ = std::move(socket);
    connect_until_ = now + options_.connect_timeout;
  }

  // The first that is said on a new connection; an error of it ends the connection.
  void greet() {
    Batch greeting{.repeatable = true, .deadline = connect_until_};
    if (!options_.password.empty()) {
      greeting.commands.push_back(options_.username.empty()
                                      ? RedisCommand{"AUTH", options_.password}
                                      : RedisCommand{"AUTH", options_.username, options_.password});
    }
    if (options_.database != 0) {
      greeting.commands.push_back({"SELECT", std::to_string(options_.database)});
    }
    greeting.commands.push_back({"PING"});
    for (const RedisCommand& each : greeting.commands) append(out_, each);
    inbox_.with([&](Inbox& inbox) { inbox.commands += greeting.commands.size(); });
    greeting.done = [this](Result<std::vector<RedisReply>> replies) {
      if (!replies) return;
      for (const RedisReply& each : *replies) {
        if (each.kind == RedisReply::Kind::kError && greeting_error_.empty()) {
          greeting_error_ = each.text;
        }
      }
      greeted_ = true;
    };
    greeting.attempts = options_.attempts_max;
    sent_.push_front(std::move(greeting));
    reader_.reset(redisReaderCreate());
  }

  // Moves what waits to the connection.
  void fill() {
    while (greeted_ && !waiting_.empty()) {
      Batch batch = std::move(waiting_.front());
      waiting_.pop_front();
      ++batch.attempts;
      batch.replies.clear();
      for (const RedisCommand& each : batch.commands) append(out_, each);
      sent_.push_back(std::move(batch));
    }
  }

  void wait(Time now) {
    const bool writes = socket_.open() && (!connected_ || !out_.empty());
    std::array<pollfd, 2> files{
        pollfd{.fd = bell_.number(), .events = POLLIN, .revents = 0},
        pollfd{.fd = socket_.number(),
               .events = static_cast<short>(connected_ ? POLLIN | (writes ? POLLOUT : 0) : POLLOUT),
               .revents = 0}};
    // What can be written is, before anybody sleeps.
    if (connected_ && !out_.empty()) write_out();
    const bool idle = waiting_.empty() && sent_.empty() && !(socket_.open() && !connected_);
    const Duration pause = idle
                               ? Duration(std::chrono::seconds(1))
                               : std::max(next_look_ - now, Duration(std::chrono::milliseconds(1)));
    files[1].fd = socket_.number();
    files[1].events =
        static_cast<short>(!connected_ ? POLLOUT : POLLIN | (out_.empty() ? 0 : POLLOUT));
    ::poll(files.data(), socket_.open() ? 2 : 1,
           static_cast<int>(pause / std::chrono::milliseconds(1)) + 1);
    if ((files[0].revents & POLLIN) != 0) {
      std::uint64_t rung = 0;
      static_cast<void>(::read(bell_.number(), &rung, sizeof rung));
    }
    if (!socket_.open() || files[1].revents == 0) return;
    if (!connected_) return finish_connecting();
    if ((files[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_in();
  }

  void finish_connecting() {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return refused(net::error_text(error));
    connected_ = true;
    greet();
  }

  void write_out() {
    while (!out_.empty()) {
      const ssize_t written =
          ::send(socket_.number(), out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
      if (written < 0) {
        if (errno == EAGAIN || errno == EINTR) return;
        return broken(net::error_text(errno));
      }
      written_ += static_cast<std::size_t>(written);
      if (written_ < out_.size()) continue;
      out_.clear();
      written_ = 0;
    }
  }

  void read_in() {
    std::array<char, kReadSize> bytes;
    const ssize_t size = ::recv(socket_.number(), bytes.data(), bytes.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return broken(size == 0 ? "the connection was closed" : net::error_text(errno));
    if (redisReaderFeed(reader_.get(), bytes.data(), static_cast<std::size_t>(size)) != REDIS_OK) {
      return broken("an answer that makes no sense");
    }
    for (;;) {
      void* raw = nullptr;
      if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
        return broken("an answer that makes no sense");
      }
      if (raw == nullptr) break;
      const std::unique_ptr<void, FreeReply> owned(raw);
      if (sent_.empty()) return broken("an answer nobody asked for");
      take_reply(to_reply(*static_cast<const redisReply*>(raw)));
      if (!greeting_error_.empty()) return refused(std::exchange(greeting_error_, {}));
    }
  }

  void take_reply(RedisReply reply) {
    Batch& first = sent_.front();
    first.replies.push_back(std::move(reply));
    if (first.replies.size() < first.commands.size()) return;
    std::vector<RedisReply> replies = std::move(first.replies);
    end(sent_, std::move(replies));
    pause_ = Duration::zero();
    problem_.clear();
  }

  void drop_connection() {
    socket_ = File();
    connected_ = greeted_ = false;
    reader_.reset();
    out_.clear();
    written_ = 0;
  }

  // There is no connection: what waits hears why, and the next attempt is put off.
  void refused(std::string why) {
    put_off(std::move(why));
    while (!waiting_.empty()) end(waiting_, fail(Code::kUnavailable, name() + ": " + problem_));
  }

  // There was one: what was sent may have had its effect.
  void broken(std::string why) { put_off(std::move(why)); }

  void put_off(std::string why) {
    problem_ = std::move(why);
    drop_connection();
    pause_ = std::clamp(pause_ * 2, options_.pause_min, options_.pause_max);
    next_attempt_ = clock_.now() + pause_;
    std::deque<Batch> again;
    while (!sent_.empty()) {
      Batch& first = sent_.front();
      if (first.done && first.repeatable && first.attempts < options_.attempts_max) {
        again.push_back(std::move(first));
        sent_.pop_front();
        continue;
      }
      const Code code = first.repeatable ? Code::kUnavailable : Code::kUnknownOutcome;
      end(sent_, fail(code, name() + ": " + problem_));
    }
    while (!again.empty()) {
      waiting_.push_front(std::move(again.back()));
      again.pop_back();
    }
  }

  Clock& clock_;
  const RedisOptions options_;
  File bell_;
  Guarded<Inbox> inbox_;

  // Of the thread.
  std::deque<Batch> waiting_;
  std::deque<Batch> sent_;
  File socket_;
  bool connected_ = false;
  bool greeted_ = false;
  std::string greeting_error_;
  std::unique_ptr<redisReader, FreeReader> reader_;
  std::string out_;
  std::size_t written_ = 0;
  std::string problem_;
  Duration pause_{0};
  Time next_attempt_;
  Time connect_until_;
  Time next_look_;

  ThreadPool thread_{1, 1, "redis"};  // the first to end
};

RedisClient::RedisClient(Clock& clock, RedisOptions options)
    : thread_(std::make_unique<Thread>(clock, std::move(options))) {}

RedisClient::~RedisClient() { stop(); }

void RedisClient::send(std::vector<RedisCommand> commands, bool repeatable, Time deadline,
                       Done<std::vector<RedisReply>> done) {
  if (commands.empty()) return done(std::vector<RedisReply>());
  thread_->send({.commands = std::move(commands),
                 .repeatable = repeatable,
                 .deadline = deadline,
                 .done = std::move(done)});
}

void RedisClient::stop() { thread_->stop(); }

}  // namespace troupe::clients
