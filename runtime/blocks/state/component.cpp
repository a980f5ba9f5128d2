#include "runtime/blocks/state/component.h"

namespace troupe::blocks::state {

const std::string& key_of(const Change& change) {
  return std::visit([](const auto& each) -> const std::string& { return each.key; }, change);
}

const std::optional<std::string>& etag_of(const Change& change) {
  return std::visit([](const auto& each) -> const std::optional<std::string>& { return each.etag; },
                    change);
}

std::vector<std::string> Features::names() const {
  std::vector<std::string> names;
  if (etag) names.emplace_back("ETAG");
  if (transactional) names.emplace_back("TRANSACTIONAL");
  if (query) names.emplace_back("QUERY_API");
  if (ttl) names.emplace_back("TTL");
  if (delete_with_prefix) names.emplace_back("DELETE_WITH_PREFIX");
  if (keys_like) names.emplace_back("KEYS_LIKE");
  if (etag && transactional) names.emplace_back("ACTOR");
  return names;
}

Failure mismatch(std::string_view why) {
  std::string message(kMismatch);
  if (!why.empty()) message += ": " + std::string(why);
  return fail(Code::kConflict, std::move(message));
}

Failure invalid_etag(std::string_view etag) {
  return fail(Code::kInvalid, std::string(kInvalidEtag) + ": " + std::string(etag));
}

void Component::query(std::string /*query*/, std::string_view /*key_prefix*/, Time /*deadline*/,
                      Done<QueryResult> done) {
  done(fail(Code::kUnimplemented, "state store does not support querying"));
}

}  // namespace troupe::blocks::state
