#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "storage/shard/entry.h"

/// Of ShardMachine's own files: outcomes of commands that are no turns.
namespace troupe::storage {

inline Outcome applied(std::uint64_t index) {
  Outcome result;
  result.kind = Outcome::Kind::kApplied;
  result.index = index;
  return result;
}

inline Outcome refused(std::uint64_t index, Code code, std::string message) {
  Outcome result;
  result.kind = Outcome::Kind::kRefused;
  result.index = index;
  result.error = Error{.code = code, .message = std::move(message)};
  return result;
}

}  // namespace troupe::storage
