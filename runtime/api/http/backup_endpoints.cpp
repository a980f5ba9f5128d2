// The native endpoints of `troupe backup` and `troupe restore`.
#include <array>
#include <utility>

#include "runtime/api/http/admin_answers.h"

namespace troupe::api {
namespace {

void begin_backup(Exchange exchange) {
  Admin& admin = exchange.on.admin;
  std::string backup = exchange.parameters[0];
  admin.begin_backup(std::move(backup), json_or_error<BackupPlan>(std::move(exchange)));
}

void end_backup(Exchange exchange) {
  Admin& admin = exchange.on.admin;
  std::string backup = exchange.parameters[0];
  admin.end_backup(std::move(backup), done_or_error(std::move(exchange)));
}

void backup_part(Exchange exchange) {
  const auto shard = number_of<std::uint32_t>(exchange.parameters[2], "a shard");
  if (!shard) return exchange.error(Operation::kAdmin, shard.error());
  const auto part = number_of<std::uint64_t>(exchange.parameters[3], "a part");
  if (!part) return exchange.error(Operation::kAdmin, part.error());
  Admin& admin = exchange.on.admin;
  std::string backup = exchange.parameters[0];
  BackupCut cut{.shard = *shard, .node = exchange.parameters[1], .applied = 0};
  admin.backup_part(std::move(backup), std::move(cut), *part,
                    [exchange = std::move(exchange)](Result<std::string> bytes) mutable {
                      if (!bytes) return exchange.error(Operation::kAdmin, bytes.error());
                      exchange.answer({.status = 200,
                                       .headers = {},
                                       .content_type = "application/octet-stream",
                                       .body = *std::move(bytes)});
                    });
}

void contents(Exchange exchange) {
  Admin& admin = exchange.on.admin;
  admin.contents(json_or_error<ContentsView>(std::move(exchange)));
}

void all_shards(Exchange exchange, RestoreStep::Kind kind) {
  Admin& admin = exchange.on.admin;
  RestoreStep step{.kind = kind, .restore = exchange.parameters[0]};
  admin.restore(std::move(step), done_or_error(std::move(exchange)));
}

void begin_restore(Exchange exchange) {
  all_shards(std::move(exchange), RestoreStep::Kind::kBegin);
}
void finish_restore(Exchange exchange) {
  all_shards(std::move(exchange), RestoreStep::Kind::kFinish);
}
void abandon_restore(Exchange exchange) {
  all_shards(std::move(exchange), RestoreStep::Kind::kAbandon);
}

void load_part(Exchange exchange) {
  const auto shard = number_of<std::uint32_t>(exchange.parameters[1], "a shard");
  if (!shard) return exchange.error(Operation::kAdmin, shard.error());
  const auto part = number_of<std::uint64_t>(exchange.parameters[2], "a part");
  if (!part) return exchange.error(Operation::kAdmin, part.error());
  Admin& admin = exchange.on.admin;
  RestoreStep step{.kind = RestoreStep::Kind::kLoad,
                   .restore = exchange.parameters[0],
                   .shard = *shard,
                   .part = *part,
                   .rows = std::string(exchange.request.body.view())};
  admin.restore(std::move(step), done_or_error(std::move(exchange)));
}

constexpr std::array<Route<Endpoint>, 8> kRoutes{{
    {"POST", "/troupe/v1/backups/{backup}", begin_backup},
    {"DELETE", "/troupe/v1/backups/{backup}", end_backup},
    {"GET", "/troupe/v1/backups/{backup}/{node}/{shard}/{part}", backup_part},
    {"GET", "/troupe/v1/contents", contents},
    {"POST", "/troupe/v1/restores/{restore}/begin", begin_restore},
    {"POST", "/troupe/v1/restores/{restore}/finish", finish_restore},
    {"DELETE", "/troupe/v1/restores/{restore}", abandon_restore},
    {"POST", "/troupe/v1/restores/{restore}/{shard}/{part}", load_part},
}};

}  // namespace

Routes backup_routes() { return kRoutes; }

}  // namespace troupe::api
