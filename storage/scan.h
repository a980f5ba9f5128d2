#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "storage/engine.h"
#include "storage/keys.h"
#include <troupe/result.h>

namespace troupe::storage {

/// Calls `visit(key, value)` for each key of `range` in order, until it returns false or an error:
/// `visit` is a callable of Result<bool>(std::string_view, std::string_view).
template <class Visit>
Result<void> each(const Reads& reads, const KeyRange& range, Visit&& visit) {
  const auto cursor = reads.scan(range.from, range.to);
  for (; cursor->valid(); cursor->next()) {
    Result<bool> more = visit(cursor->key(), cursor->value());
    if (!more) return fail(more.error());
    if (!*more) return {};
  }
  return cursor->status();
}

/// The error for a row that cannot be read.
inline Failure damaged(std::string_view what) {
  return fail(Code::kDataLoss, "damaged row in the store: " + std::string(what));
}

}  // namespace troupe::storage
