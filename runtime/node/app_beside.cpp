#include "runtime/node/app_beside.h"

#include <algorithm>
#include <utility>

namespace troupe::node {
namespace {

app::AppWatchOptions watch_options(const NodeSettings& settings) {
  constexpr std::int64_t kThreshold = 3;
  const std::int64_t threshold = settings.app_health_threshold;
  return {.app_id = settings.app_id,
          .asks_config = settings.app_says_config,
          .health = {.enabled = settings.app_health,
                     .path = settings.app_health_path,
                     .interval = settings.app_health_interval,
                     .timeout = settings.app_health_timeout,
                     .threshold = static_cast<std::uint32_t>(std::clamp<std::int64_t>(
                         threshold < 1 ? kThreshold : threshold, 1, 1'000'000))}};
}

app::HttpChannelOptions channel_options(const NodeSettings& settings) {
  app::HttpChannelOptions options;
  options.app = {settings.app_host, settings.app_port};
  if (settings.app_concurrency_max > 0) {
    options.concurrency_max = static_cast<std::size_t>(settings.app_concurrency_max);
  }
  options.token = settings.app_token;
  return options;
}

}  // namespace

AppBeside::AppBeside(const NodeSettings& settings, const Dependencies& dependencies)
    : clock_(dependencies.clock),
      executor_(dependencies.executor),
      log_(dependencies.log),
      options_(watch_options(settings)),
      channel_(dependencies.threads, dependencies.resolver, channel_options(settings),
               [this] {
                 if (watch_) watch_->trouble();
               }),
      actors_(channel_, clock_, log_) {}

AppBeside::~AppBeside() { stop(); }

void AppBeside::start(std::function<void(std::vector<ActorType>)> offered) {
  watch_ = std::make_shared<app::AppWatch>(
      options_,
      app::AppWatch::Dependencies{
          .channel = channel_,
          .executor = executor_,
          .clock = clock_,
          .log = log_,
          .here = [this, offered](const app::AppConfig& config) { offered(actors_.types(config)); },
          .gone = [offered] { offered({}); }});
  watch_->start();
}

void AppBeside::stop() { channel_.stop(); }

std::optional<api::AppConnection> app_connection(const NodeSettings& settings) {
  if (settings.app_port == 0) return std::nullopt;
  return api::AppConnection{.port = settings.app_port,
                            .protocol = settings.app_protocol,
                            .channel_address = settings.app_host,
                            .concurrency_max = settings.app_concurrency_max};
}

}  // namespace troupe::node
