#include "runtime/app/app_watch.h"

#include <algorithm>

namespace troupe::app {
namespace {

constexpr auto kLookPatience = std::chrono::seconds(1);
// However many requests fail at once, it is not looked more often.
constexpr Duration kLookPause = std::chrono::milliseconds(20);
constexpr Duration kAskPause = std::chrono::seconds(1);

bool well(const Result<net::HttpResponse>& answer) {
  return answer && answer->status >= 200 && answer->status < 300;
}

}  // namespace

AppWatch::AppWatch(AppWatchOptions options, Dependencies dependencies)
    : options_(std::move(options)), deps_(std::move(dependencies)) {}

template <class T>
Done<T> AppWatch::on_executor(void (AppWatch::*then)(Result<T>)) {
  return [back = weak_from_this(), then](Result<T> result) {
    const std::shared_ptr<AppWatch> self = back.lock();
    if (self == nullptr) return;
    self->deps_.executor.post([self, then, result = std::move(result)]() mutable {
      if (self->phase_ != Phase::kStopped) ((*self).*then)(std::move(result));
    });
  };
}

void AppWatch::start() {
  deps_.executor.post([self = shared_from_this()] { self->look(); });
}

void AppWatch::trouble() {
  deps_.executor.post([back = weak_from_this()] {
    const std::shared_ptr<AppWatch> self = back.lock();
    if (self == nullptr || self->phase_ == Phase::kAway) return;
    if (!std::exchange(self->in_trouble_, true) && !self->looking_) {
      self->plan_look(self->looked_at_ + kLookPause - self->deps_.clock.now());
    }
  });
}

void AppWatch::plan_look(Duration wait) {
  const Time when = deps_.clock.now() + std::max(Duration(0), wait);
  deps_.executor.post_at(when, [back = weak_from_this(), number = ++planned_look_] {
    const std::shared_ptr<AppWatch> self = back.lock();
    if (self != nullptr && self->planned_look_ == number) self->look();
  });
}

void AppWatch::look() {
  if (phase_ == Phase::kStopped || std::exchange(looking_, true)) return;
  looked_at_ = deps_.clock.now();
  deps_.channel.probe(looked_at_ + kLookPatience, on_executor(&AppWatch::looked));
}

// A process that is stopped, or has too many to attend to, takes no connection, and is there.
void AppWatch::looked(Result<void> connected) {
  looking_ = false;
  const bool troubled = std::exchange(in_trouble_, false);
  if (!connected && connected.error().code != Code::kTimeout) {
    lose(connected.error().message, Phase::kAway);
  } else if (connected && phase_ == Phase::kAway) {
    arrived();
  } else if (connected && troubled && phase_ == Phase::kHere) {
    ask_config();
  }
  plan_look(phase_ == Phase::kAway ? options_.connect_interval : options_.look_interval);
}

void AppWatch::arrived() {
  phase_ = options_.health.enabled ? Phase::kUnwell : Phase::kAsked;
  if (options_.health.enabled) return check_health();
  ask_config();
}

void AppWatch::plan_check(Duration wait) {
  const Time when = deps_.clock.now() + wait;
  deps_.executor.post_at(when, [back = weak_from_this(), number = ++planned_check_] {
    const std::shared_ptr<AppWatch> self = back.lock();
    if (self != nullptr && self->planned_check_ == number) self->check_health();
  });
}

void AppWatch::check_health() {
  if (phase_ == Phase::kStopped || phase_ == Phase::kAway || std::exchange(checking_, true)) return;
  deps_.channel.check(options_.health.path, deps_.clock.now() + options_.health.timeout,
                      on_executor(&AppWatch::checked));
}

// As with Dapr, a success in between does not take failures back.
void AppWatch::checked(Result<net::HttpResponse> answer) {
  checking_ = false;
  plan_check(options_.health.interval);
  if (phase_ == Phase::kAway) return;
  if (phase_ == Phase::kUnwell) {
    if (!well(answer)) return;
    failures_ = 0;
    phase_ = Phase::kAsked;
    return ask_config();
  }
  if (!well(answer) && ++failures_ >= options_.health.threshold) {
    lose("its health checks fail", Phase::kUnwell);
  }
}

void AppWatch::ask_config() {
  if (!options_.asks_config) return take({});
  const Time now = deps_.clock.now();
  if (asking_ || (phase_ == Phase::kHere && now - asked_at_ < kAskPause)) return;
  asking_ = true;
  asked_at_ = now;
  net::HttpRequest request{.method = "GET", .target = "/dapr/config"};
  request.headers.add("content-type", "application/json");
  request.headers.add("dapr-app-id", options_.app_id);
  deps_.channel.ask(std::move(request), now + options_.config_timeout,
                    on_executor(&AppWatch::configured));
}

void AppWatch::configured(Result<net::HttpResponse> answer) {
  asking_ = false;
  if (phase_ != Phase::kAsked && phase_ != Phase::kHere) return;
  const bool first = phase_ == Phase::kAsked;
  if (!answer) {
    if (!first) return;
    deps_.log.warning("the app does not say what it has", {{"why", answer.error().message}});
    phase_ = Phase::kAway;
    return plan_look(options_.connect_interval);
  }
  if (answer->status != 200) {
    if (first) take({});
    return;
  }
  Result<AppConfig> config = parse_app_config(answer->body.view());
  if (config) return take(*std::move(config));
  deps_.log.warning("the app's /dapr/config cannot be read", {{"why", config.error().message}});
  if (first) take({});
}

void AppWatch::take(AppConfig config) {
  phase_ = Phase::kHere;
  if (told_ == config) return;
  for (const std::string& each : config.warnings) {
    deps_.log.warning("in the app's /dapr/config", {{"what", each}});
  }
  deps_.log.info("the app is here", {{"actor_types", config.types.size()}});
  told_ = std::move(config);
  deps_.here(*told_);
}

void AppWatch::lose(std::string_view why, Phase next) {
  phase_ = next;
  failures_ = 0;
  if (!told_) return;
  told_.reset();
  deps_.log.warning("the app is away", {{"why", std::string(why)}});
  deps_.gone();
}

}  // namespace troupe::app
