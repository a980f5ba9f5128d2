#include "actors/schedule/time_zone.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include "actors/schedule/calendar.h"

namespace troupe {
namespace {

constexpr std::size_t kNameMax = 64;

absl::Time to_absl(WallTime time) { return absl::FromUnixMicros(time.time_since_epoch().count()); }
WallTime from_absl(absl::Time time) { return WallTime(Duration(absl::ToUnixMicros(time))); }

absl::CivilSecond to_civil(std::chrono::sys_seconds local) {
  return absl::CivilSecond(1970, 1, 1) + local.time_since_epoch().count();
}

// Abseil would open paths outside the database too, and remembers for ever each name it was asked
// for: so only names of files that are there reach it.
bool in_database(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-+/").find(c) != std::string_view::npos;
  };
  if (name.empty() || name.size() > kNameMax || name.front() == '/') return false;
  if (!std::ranges::all_of(name, allowed)) return false;
  const char* folder = std::getenv("TZDIR");
  std::error_code error;
  return std::filesystem::is_regular_file(
      std::filesystem::path(folder != nullptr ? folder : "/usr/share/zoneinfo") / name, error);
}

}  // namespace

struct TimeZone::Rules {
  absl::TimeZone zone;
};

TimeZone::TimeZone() = default;

Result<TimeZone> TimeZone::load(const std::string& name) {
  if (name == "UTC") return TimeZone();
  absl::TimeZone zone;
  if (!in_database(name) || !absl::LoadTimeZone(name, &zone)) {
    return fail(Code::kInvalid, "no time zone named '" + name.substr(0, kNameMax) +
                                    "' in this machine's tz database; names look like "
                                    "Europe/Berlin");
  }
  TimeZone loaded;
  loaded.name_ = name;
  loaded.rules_ = std::make_shared<const Rules>(Rules{zone});
  return loaded;
}

std::chrono::sys_seconds TimeZone::local(WallTime time) const {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  if (!rules_) return second;
  return second + std::chrono::seconds(rules_->zone.At(to_absl(time)).offset);
}

TimeZone::Moments TimeZone::moments(std::chrono::sys_seconds local) const {
  using Kind = Moments::Kind;
  if (!rules_) return {.kind = Kind::kOnce, .first = local, .last = local};
  const auto info = rules_->zone.At(to_civil(local));
  switch (info.kind) {
    case absl::TimeZone::TimeInfo::SKIPPED:
      return {
          .kind = Kind::kSkipped, .first = from_absl(info.trans), .last = from_absl(info.trans)};
    case absl::TimeZone::TimeInfo::REPEATED:
      return {.kind = Kind::kTwice, .first = from_absl(info.pre), .last = from_absl(info.post)};
    default:
      return {.kind = Kind::kOnce, .first = from_absl(info.pre), .last = from_absl(info.pre)};
  }
}

WallTime TimeZone::next_shift(WallTime time) const {
  absl::TimeZone::CivilTransition shift;
  if (!rules_ || !rules_->zone.NextTransition(to_absl(time), &shift)) return kLastWallTime;
  return std::min(from_absl(rules_->zone.At(shift.to).trans), kLastWallTime);
}

}  // namespace troupe
