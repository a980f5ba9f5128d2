#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/blocks/state/component.h"
#include "runtime/blocks/state/postgresql.h"
#include "runtime/clients/postgresql/connection.h"

/// The tables and statements of Dapr's layouts.
namespace troupe::blocks::state {

struct PostgresqlTables {
  PostgresqlLayout layout = PostgresqlLayout::kVersion1;
  std::string state = "state";  // perhaps with its schema
  std::string metadata = "dapr_metadata";
  std::string prefix = {};  // of version 2's rows in `metadata`

  /// `migrations`, and the like.
  std::string metadata_key(std::string_view name) const;
};

/// Letters, digits and `_`, with or without a schema: what may stand in a statement as it is.
bool table_name(std::string_view name);

/// `{"a","b"}`: a list of texts as one parameter.
std::string array_of(const std::vector<std::string>& texts);

/// Makes the tables, or brings them up to date: one node or daprd at a time, the others wait.
Result<void> prepare_tables(clients::PostgresqlConnection& connection,
                            const PostgresqlTables& tables, Time deadline);

/// A statement with its parameters.
struct PostgresqlStatement {
  std::string sql;
  std::vector<clients::PostgresqlValue> values;
};
/// Gives key, value, whether it is base64, etag, expiry.
PostgresqlStatement read_statement(const PostgresqlTables& tables,
                                   const std::vector<std::string>& keys);
/// Changes one row, or none where another version, or its absence, is asked for. kInvalid or
/// kConflict for an etag that can be none.
Result<PostgresqlStatement> change_statement(const PostgresqlTables& tables, const Change& change);
/// The value of a row of read_statement().
Result<Value> value_of(const PostgresqlTables& tables, const clients::PostgresqlRow& row);

/// Dapr's query as a statement that gives rows as read_statement() does; `limit` and `offset` as
/// the query has them. kInvalid: "failed to parse JSON query body: ...".
struct PostgresqlQuery {
  PostgresqlStatement statement;
  std::uint64_t limit = 0;  // 0: all
  std::uint64_t offset = 0;
};
Result<PostgresqlQuery> query_statement(const PostgresqlTables& tables, std::string_view query,
                                        std::string_view key_prefix);

}  // namespace troupe::blocks::state
