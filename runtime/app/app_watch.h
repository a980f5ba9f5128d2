#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/app/app_channel.h"
#include "runtime/app/app_config.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"

namespace troupe::app {

/// How often an app says whether it is well, if it is asked at all.
struct AppHealthOptions {
  bool enabled = false;
  std::string path = "/healthz";
  Duration interval = std::chrono::seconds(5);
  Duration timeout = std::chrono::milliseconds(500);
  std::uint32_t threshold = 3;  // failures until it counts as unwell; one success mends it
};

struct AppWatchOptions {
  std::string app_id = {};
  bool asks_config = true;  // GET /dapr/config; without, the app has no actors
  AppHealthOptions health = {};
  Duration connect_interval = std::chrono::milliseconds(100);  // until somebody listens
  Duration look_interval = std::chrono::seconds(1);            // whether still somebody does
  Duration config_timeout = std::chrono::seconds(10);
};

/// Follows the life of the app beside this node: waits until it listens (and is well), reads what
/// it has, notices that it is gone, and reads again when it is back.
///
///     away ──connects──→ [unwell ──well──→] asked ──config──→ here
///       ↑                   ↑                                   │ refused: gone
///       └───────────────────┴────────── unwell ─────────────────┘ trouble: asked again
///
/// Everything happens on one executor. Owned by a shared_ptr; dropped, it ends.
class AppWatch final : public std::enable_shared_from_this<AppWatch> {
 public:
  struct Dependencies {
    AppChannel& channel;
    Executor& executor;
    Clock& clock;
    Log log;
    /// The app is here, and has these actors: told when that is news. On the executor.
    std::function<void(const AppConfig&)> here;
    /// It is gone, or unwell. On the executor.
    std::function<void()> gone;
  };

  AppWatch(AppWatchOptions options, Dependencies dependencies);

  void start();
  /// A request met nobody, or lost its connection: looks at once. From any thread.
  void trouble();
  /// Nothing is told from now on. On the executor.
  void stop() { phase_ = Phase::kStopped; }

 private:
  enum class Phase : std::uint8_t { kAway, kUnwell, kAsked, kHere, kStopped };

  template <class T>
  Done<T> on_executor(void (AppWatch::*then)(Result<T>));
  void plan_look(Duration wait);
  void look();
  void looked(Result<void> connected);
  void arrived();
  void plan_check(Duration wait);
  void check_health();
  void checked(Result<net::HttpResponse> answer);
  void ask_config();
  void configured(Result<net::HttpResponse> answer);
  void take(AppConfig config);
  void lose(std::string_view why, Phase next);

  const AppWatchOptions options_;
  const Dependencies deps_;
  Phase phase_ = Phase::kAway;
  bool looking_ = false;
  bool checking_ = false;
  bool asking_ = false;
  bool in_trouble_ = false;         // it may have been another process since
  std::uint64_t planned_look_ = 0;  // the last one counts
  std::uint64_t planned_check_ = 0;
  Time looked_at_{};
  Time asked_at_{};
  std::uint32_t failures_ = 0;
  std::optional<AppConfig> told_;
};

}  // namespace troupe::app
