#include "runtime/components/fields.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "actors/schedule/time_text.h"
#include "runtime/base/suggest.h"

namespace troupe::components {

std::string to_string(const Problem& problem) {
  return to_string(problem.place) + ": " + problem.message;
}

void Problems::error(std::size_t line, std::string message) {
  all.push_back({.place = {file, line}, .message = std::move(message), .error = true});
}

void Problems::warning(std::size_t line, std::string message) {
  all.push_back({.place = {file, line}, .message = std::move(message), .error = false});
}

bool Problems::errors() const { return std::ranges::any_of(all, &Problem::error); }

std::string expected(std::string_view wanted, const Value& value) {
  return "expected " + std::string(wanted) + ", got " +
         (value.kind == ValueKind::kText ? "'" + value.text + "'"
                                         : std::string(name_of(value.kind)));
}

Result<Duration> read_duration(std::string_view text, Duration unit) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) {
    constexpr std::int64_t kMost = 1'000'000'000'000;
    if (number > kMost || number < -kMost) {
      return fail(Code::kInvalid, "a duration of more than 30,000 years");
    }
    return unit * number;
  }
  return parse_go_duration(text);
}

bool truthy(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue{"y", "yes", "true", "t", "on", "1"};
  return std::ranges::find(kTrue, lower_case(text)) != kTrue.end();
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : static_cast<char>(c);
  });
  return lower;
}

Fields::Fields(const Value& map, std::string path, Problems& problems)
    : map_(map), path_(std::move(path)), problems_(problems) {
  if (map.kind != ValueKind::kMap && map.kind != ValueKind::kNull) {
    problems_.error(map.line, path_ + ": " + expected("a map", map));
  }
}

std::string Fields::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

const Value* Fields::member(std::string_view name) {
  known_.emplace_back(name);
  return map_.find(name);
}

const Value* Fields::of_kind(std::string_view name, ValueKind kind) {
  const Value* found = member(name);
  if (found == nullptr || found->kind == kind) return found;
  problems_.error(found->line, path_of(name) + ": " + expected(name_of(kind), *found));
  return nullptr;
}

const Value* Fields::map(std::string_view name) { return of_kind(name, ValueKind::kMap); }

const Value* Fields::list(std::string_view name) { return of_kind(name, ValueKind::kList); }

bool Fields::scalar(std::string_view name, const Value& value) {
  if (value.kind == ValueKind::kText) return true;
  problems_.error(value.line, path_of(name) + ": " + expected("a text", value));
  return false;
}

void Fields::text(std::string_view name, std::string& to) {
  const Value* found = member(name);
  if (found != nullptr && scalar(name, *found)) to = found->text;
}

void Fields::required(std::string_view name, std::string& to) {
  text(name, to);
  const Value* found = map_.find(name);
  if (found == nullptr || (found->kind == ValueKind::kText && found->text.empty())) {
    problems_.error(map_.line, path_of(name) + ": is missing");
  }
}

void Fields::boolean(std::string_view name, bool& to) {
  const Value* found = member(name);
  if (found == nullptr || !scalar(name, *found)) return;
  const std::string lower = lower_case(found->text);
  if (lower == "true" || lower == "yes" || lower == "on") {
    to = true;
  } else if (lower == "false" || lower == "no" || lower == "off") {
    to = false;
  } else {
    problems_.error(found->line, path_of(name) + ": " + expected("true or false", *found));
  }
}

void Fields::integer(std::string_view name, std::int64_t& to) {
  const Value* found = member(name);
  if (found == nullptr || !scalar(name, *found)) return;
  const std::string& text = found->text;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) {
    to = number;
  } else {
    problems_.error(found->line, path_of(name) + ": " + expected("a whole number", *found));
  }
}

void Fields::duration(std::string_view name, Duration& to, Duration unit) {
  const Value* found = member(name);
  if (found == nullptr || !scalar(name, *found)) return;
  if (const Result<Duration> read = read_duration(found->text, unit)) {
    to = *read;
  } else {
    problems_.error(found->line,
                    path_of(name) + ": " + expected("a duration such as 5s or 1m30s", *found));
  }
}

void Fields::texts(std::string_view name, std::vector<std::string>& to) {
  const Value* found = list(name);
  if (found == nullptr) return;
  for (const Value& each : found->items) {
    if (scalar(name, each)) to.push_back(each.text);
  }
}

void Fields::texts_by_name(std::string_view name, std::map<std::string, std::string>& to) {
  const Value* found = map(name);
  if (found == nullptr) return;
  for (const auto& [key, value] : found->members) {
    if (scalar(name, value)) to[key] = value.text;
  }
}

void Fields::finish() {
  for (const auto& [name, value] : map_.members) {
    if (std::ranges::find(known_, name) != known_.end()) continue;
    problems_.warning(value.line, path_of(name) + ": is not known" + did_you_mean(name, known_));
  }
}

}  // namespace troupe::components
