#pragma once

#include <compare>
#include <string>

namespace troupe {

/// Bytes that are no text. In JSON they are a string in base64; as a whole message or state they
/// travel as they are.
struct Bytes {
  std::string data;

  friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

}  // namespace troupe
