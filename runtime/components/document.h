#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <troupe/result.h>

/// Files of YAML (JSON is a part of it), taken apart.
namespace troupe::components {

enum class ValueKind : std::uint8_t { kNull, kText, kList, kMap };

/// `a text`, `a list` ... for messages.
std::string_view name_of(ValueKind kind);

/// A value of a document, with the line it stands in.
struct Value {
  ValueKind kind = ValueKind::kNull;
  std::string text = {};  // of a scalar, without its quotes
  bool quoted = false;    // a text, whatever it looks like
  std::vector<Value> items = {};
  std::vector<std::pair<std::string, Value>> members = {};
  std::size_t line = 0;

  /// Null if there is none of that name, or it is null.
  const Value* find(std::string_view name) const;
};

/// The value as JSON on one line: a scalar without quotes is a number, a truth value or null if it
/// looks like one.
std::string to_json(const Value& value);

/// Larger documents are refused, as Dapr does.
inline constexpr std::size_t kDocumentSizeMax = std::size_t{64} << 10;
/// Values of one document, aliases counted wherever they stand for something.
inline constexpr std::size_t kDocumentValuesMax = 20'000;

/// A part of a file between two lines that begin with `---`.
struct DocumentText {
  std::string_view text;  // into the file
  std::size_t line = 1;   // its first
};
std::vector<DocumentText> split_documents(std::string_view file);

/// The one value of a document, kNull for an empty one. kInvalid: "line 4, column 2: ...".
Result<Value> parse_document(const DocumentText& document);

}  // namespace troupe::components
