#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/api/state_service.h"
#include <troupe/result.h>

/// Bodies of the endpoints of state.
namespace troupe::api {

/// A list of `{key, value, etag, metadata, options, contentType}`. kInvalid with Dapr's texts.
Result<std::vector<StateItem>> read_state_items(std::string_view body);

struct BulkRequest {
  std::vector<std::string> keys = {};
  blocks::state::Metadata metadata = {};
};
Result<BulkRequest> read_bulk_request(std::string_view body);

/// `{operations: [{operation, request}], metadata}`.
Result<std::vector<StateOperation>> read_transaction(std::string_view body);

std::string bulk_json(const std::vector<BulkItem>& items);
std::string query_json(const blocks::state::QueryResult& result);

/// The value as JSON with the members of its objects sorted, as Dapr's stores have it.
Result<std::string> sorted_json(std::string_view json);

}  // namespace troupe::api
