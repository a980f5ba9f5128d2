#include "runtime/components/properties.h"

#include <charconv>

#include "runtime/base/suggest.h"
#include "runtime/components/fields.h"

namespace troupe::components {

Properties::Properties(const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    entries_.insert_or_assign(lower_case(name), Entry{.name = name, .value = value});
  }
}

std::optional<std::string> Properties::text(Names names) {
  for (const std::string_view name : names) asked_.emplace(name);
  for (const std::string_view name : names) {
    const auto found = entries_.find(lower_case(name));
    if (found != entries_.end() && !found->second.value.empty()) return found->second.value;
  }
  return std::nullopt;
}

std::string Properties::text_or(Names names, std::string_view otherwise) {
  return text(names).value_or(std::string(otherwise));
}

bool Properties::truth(Names names, bool otherwise) {
  const std::optional<std::string> found = text(names);
  return found ? truthy(*found) : otherwise;
}

Result<std::int64_t> Properties::number(Names names, std::int64_t otherwise, std::int64_t min,
                                        std::int64_t max) {
  const std::optional<std::string> found = text(names);
  if (!found) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(found->data(), found->data() + found->size(), number);
  if (error != std::errc() || end != found->data() + found->size() || number < min ||
      number > max) {
    return fail(Code::kInvalid, "metadata '" + std::string(*names.begin()) +
                                    "': expected a whole number from " + std::to_string(min) +
                                    " to " + std::to_string(max) + ", got '" + *found + "'");
  }
  return number;
}

Result<Duration> Properties::duration(Names names, Duration otherwise, Duration unit) {
  const std::optional<std::string> found = text(names);
  if (!found) return otherwise;
  const Result<Duration> read = read_duration(*found, unit);
  if (read) return read;
  return fail(Code::kInvalid, "metadata '" + std::string(*names.begin()) +
                                  "': expected a duration such as 5s or 1m30s, got '" + *found +
                                  "'");
}

std::vector<std::string> Properties::unknown() const {
  std::vector<std::string> messages;
  std::set<std::string> asked;
  for (const std::string& each : asked_) asked.insert(lower_case(each));
  for (const auto& [lower, entry] : entries_) {
    if (asked.contains(lower)) continue;
    messages.push_back("metadata '" + entry.name + "' is not known" +
                       did_you_mean(entry.name, {asked_.begin(), asked_.end()}));
  }
  return messages;
}

}  // namespace troupe::components
