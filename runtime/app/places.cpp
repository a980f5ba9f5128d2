#include "runtime/app/places.h"

#include <chrono>
#include <optional>
#include <utility>

#include "runtime/net/url.h"

namespace troupe::app {
namespace {

// An app that does not even answer this is asked for other actors no less.
constexpr auto kFarewellPatience = std::chrono::seconds(30);

}  // namespace

Place::Place(std::shared_ptr<Places> places, ActorKey key)
    : places_(std::move(places)), key_(std::move(key)) {}

Place::~Place() {
  const bool occupied = occupied_.with([](bool now) { return now; });
  if (!occupied) {
    places_->left(key_);
    return;
  }
  places_->let_go(key_, [places = places_, key = key_] { places->left(key); });
}

void Place::used() {
  occupied_.with([](bool& occupied) { occupied = true; });
}

void Place::emptied() {
  occupied_.with([](bool& occupied) { occupied = false; });
}

void Places::take(const ActorKey& key, Taken taken) {
  const bool waits = lines_.with([&](auto& lines) {
    const auto [line, is_free] = lines.try_emplace(key);
    if (!is_free) line->second.push_back(std::move(taken));
    return !is_free;
  });
  if (!waits) taken(std::make_shared<Place>(shared_from_this(), key));
}

void Places::left(const ActorKey& key) {
  std::optional<Taken> next = lines_.with([&](auto& lines) -> std::optional<Taken> {
    const auto line = lines.find(key);
    if (line->second.empty()) {
      lines.erase(line);
      return std::nullopt;
    }
    Taken first = std::move(line->second.front());
    line->second.erase(line->second.begin());
    return first;
  });
  if (next) (*next)(std::make_shared<Place>(shared_from_this(), key));
}

void Places::let_go(const ActorKey& key, Function<void()> done) {
  net::HttpRequest request{.method = "DELETE",
                           .target = "/actors/" + net::encode_path_segment(key.type) + "/" +
                                     net::encode_path_segment(key.id)};
  request.headers.add("content-type", "application/x-protobuf");
  channel.ask(std::move(request), clock.now() + kFarewellPatience,
              [self = shared_from_this(), key,
               done = std::move(done)](const Result<net::HttpResponse>& answer) mutable {
                const std::string why =
                    !answer ? answer.error().message : "status " + std::to_string(answer->status);
                if (!answer || answer->status != 200) {
                  self->log.warning("the app did not let an actor go",
                                    {{"actor", to_string(key)}, {"why", why}});
                }
                done();
              });
}

}  // namespace troupe::app
