#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/components/document.h"
#include "runtime/components/resource.h"

namespace troupe::components {

/// Something wrong in a file.
struct Problem {
  Place place = {};
  std::string message = {};  // `spec.type: expected a text, got a list`
  bool error = true;         // else a warning
};
std::string to_string(const Problem& problem);

/// What was found wrong in one document, in order.
struct Problems {
  std::string file = {};
  std::vector<Problem> all = {};

  void error(std::size_t line, std::string message);
  void warning(std::size_t line, std::string message);
  bool errors() const;
};

/// The members of a map, read by name. What is of another kind than wanted is noted and left as it
/// was; finish() warns of members nobody asked for.
class Fields {
 public:
  /// `path` names the map in messages: `spec`. All outlive it.
  Fields(const Value& map, std::string path, Problems& problems);

  /// The member, or null. kMap and kList are checked.
  const Value* member(std::string_view name);
  const Value* map(std::string_view name);
  const Value* list(std::string_view name);

  void text(std::string_view name, std::string& to);
  /// As text(), and an error if it is missing or empty.
  void required(std::string_view name, std::string& to);
  void boolean(std::string_view name, bool& to);
  void integer(std::string_view name, std::int64_t& to);
  /// As Go writes it; a bare number counts in `unit`.
  void duration(std::string_view name, Duration& to, Duration unit);
  void texts(std::string_view name, std::vector<std::string>& to);
  /// A map of texts.
  void texts_by_name(std::string_view name, std::map<std::string, std::string>& to);

  /// `spec.metadata`.
  std::string path_of(std::string_view name) const;
  std::size_t line() const { return map_.line; }
  Problems& problems() { return problems_; }
  void finish();

 private:
  const Value* of_kind(std::string_view name, ValueKind kind);
  bool scalar(std::string_view name, const Value& value);

  const Value& map_;
  std::string path_;
  Problems& problems_;
  std::vector<std::string> known_;
};

/// `expected <wanted>, got <what is there>`.
std::string expected(std::string_view wanted, const Value& value);

/// A duration as Dapr reads it.
Result<Duration> read_duration(std::string_view text, Duration unit);

/// Whether Dapr takes the text for true: y, yes, true, t, on, 1, in any case.
bool truthy(std::string_view text);

std::string lower_case(std::string_view text);

}  // namespace troupe::components
