#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::components {

/// The metadata of a component, looked up. Names count without their case; of several names of one
/// property the first that is there counts. Remembers what was asked for, so that the rest can be
/// warned of.
class Properties {
 public:
  using Names = std::initializer_list<std::string_view>;

  Properties() = default;
  explicit Properties(const std::map<std::string, std::string>& values);

  std::optional<std::string> text(Names names);
  std::string text_or(Names names, std::string_view otherwise);
  bool truth(Names names, bool otherwise = false);
  /// kInvalid, naming the property and what would be right.
  Result<std::int64_t> number(Names names, std::int64_t otherwise, std::int64_t min,
                              std::int64_t max);
  /// A bare number counts in `unit`.
  Result<Duration> duration(Names names, Duration otherwise,
                            Duration unit = std::chrono::seconds(1));

  /// Those that nobody asked for: one message each, with what was perhaps meant.
  std::vector<std::string> unknown() const;

 private:
  struct Entry {
    std::string name;  // as written
    std::string value;
  };
  std::map<std::string, Entry> entries_;  // by the name in lower case
  std::set<std::string> asked_;
};

}  // namespace troupe::components
