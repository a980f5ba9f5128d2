#include "actors/state/content_hash.h"

#include <xxhash.h>

namespace troupe::actors {

ContentHash content_hash(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {.high = hash.high64, .low = hash.low64};
}

}  // namespace troupe::actors
