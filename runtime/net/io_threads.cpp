#include "runtime/net/io_threads.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unistd.h>

#include "runtime/base/check.h"
#include "runtime/base/guarded.h"

namespace troupe::net {
namespace {

namespace asio = boost::asio;

thread_local const IoThread* current_thread = nullptr;

// RFC 9110, 5.6.7.
std::string http_date(WallTime wall) {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto days = std::chrono::floor<std::chrono::days>(wall);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(wall - days));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                kDays[std::chrono::weekday(days).c_encoding()], static_cast<unsigned>(date.day()),
                kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text.data();
}

class AsioThread final : public IoThread, public std::enable_shared_from_this<AsioThread> {
 public:
  AsioThread(Clock& clock, Duration tick, std::string name)
      : clock_(clock),
        tick_(tick),
        context_(1),
        guard_(context_.get_executor()),
        timer_(context_),
        wheel_(clock.now(), tick),
        date_(http_date(clock.wall())),
        loop_(clock, std::move(name)) {}

  void start() {
    loop_.post([this] {
      current_thread = this;
      schedule_tick();
      context_.run();
      // What has ended meanwhile is told so, and lets go of what it holds: of this thread, too.
      context_.restart();
      context_.poll();
      current_thread = nullptr;
    });
  }

  void stop() {
    std::vector<Work> dropped;
    inbox_.with([&](Inbox& inbox) {
      inbox.stopped = true;
      dropped.swap(inbox.work);
    });
    guard_.reset();
    context_.stop();
    loop_.stop();
  }

  void post(Work work) override {
    bool wake = false;
    const bool taken = inbox_.with([&](Inbox& inbox) {
      if (inbox.stopped) return false;
      inbox.work.push_back(std::move(work));
      wake = !std::exchange(inbox.scheduled, true);
      return true;
    });
    // One wake-up serves all that gathers until it comes.
    if (taken && wake) asio::post(context_, [this] { drain(); });
  }

  bool run(Work work) override {
    if (is_current()) {
      work();
      return true;
    }
    auto finished = std::make_shared<std::promise<void>>();
    std::future<void> future = finished->get_future();
    post([work = std::move(work), finished]() mutable {
      work();
      finished->set_value();
    });
    finished.reset();
    try {
      future.get();
      return true;
    } catch (const std::future_error&) {  // dropped
      return false;
    }
  }

  bool is_current() const override { return current_thread == this; }
  asio::io_context& context() override { return context_; }
  TimeoutWheel& wheel() override {
    wake();
    return wheel_;
  }
  std::string_view date() override {
    wake();
    return date_;
  }

 private:
  struct Inbox {
    std::vector<Work> work;
    bool scheduled = false;
    bool stopped = false;
  };

  void drain() {
    inbox_.with([&](Inbox& inbox) {
      inbox.scheduled = false;
      taken_.swap(inbox.work);
    });
    for (Work& work : taken_) work();
    taken_.clear();
  }

  // While nothing can time out nobody needs the time, and it does not tick.
  void wake() {
    if (!std::exchange(dozing_, false)) return;
    look_at_clock();
    schedule_tick();
  }

  void look_at_clock() {
    wheel_.advance(clock_.now());
    const auto second = std::chrono::floor<std::chrono::seconds>(clock_.wall());
    if (second == date_second_) return;
    date_second_ = second;
    date_ = http_date(second);
  }

  void schedule_tick() {
    timer_.expires_after(tick_);
    timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      look_at_clock();
      dozing_ = wheel_.size() == 0;
      if (!dozing_) schedule_tick();
    });
  }

  Clock& clock_;
  const Duration tick_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  asio::steady_timer timer_;
  TimeoutWheel wheel_;
  std::string date_;
  std::chrono::sys_seconds date_second_{};
  bool dozing_ = false;
  std::vector<Work> taken_;  // keeps its capacity
  Guarded<Inbox> inbox_;
  Loop loop_;  // the thread
};

}  // namespace

struct IoThreads::State {
  std::vector<std::shared_ptr<AsioThread>> threads;
  std::atomic<std::size_t> turn = 0;
};

IoThreads::IoThreads(Clock& clock, Options options) : state_(std::make_unique<State>()) {
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  const std::size_t count =
      options.threads != 0 ? options.threads : static_cast<std::size_t>(cores > 0 ? cores : 1);
  for (std::size_t i = 0; i < count; ++i) {
    state_->threads.push_back(
        std::make_shared<AsioThread>(clock, options.tick, "io-" + std::to_string(i)));
    state_->threads.back()->start();
  }
}

IoThreads::~IoThreads() { stop(); }

std::size_t IoThreads::size() const { return state_->threads.size(); }

std::shared_ptr<IoThread> IoThreads::thread(std::size_t i) const { return state_->threads.at(i); }

std::shared_ptr<IoThread> IoThreads::pick() {
  for (const auto& thread : state_->threads) {
    if (thread->is_current()) return thread;
  }
  return state_->threads[state_->turn.fetch_add(1) % state_->threads.size()];
}

void IoThreads::stop() {
  for (const auto& thread : state_->threads) thread->stop();
}

}  // namespace troupe::net
