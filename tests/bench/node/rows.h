#pragma once

#include <string>
#include <vector>

#include "tests/bench/node/row.h"

/// The measurements of the table, each for a process of its own.
namespace troupe::bench {

std::vector<Row> local_calls();
std::vector<Row> remote_calls();
std::vector<Row> http_calls();
std::vector<Row> durable_turns(std::uint32_t replicas);
std::vector<Row> reminders();
std::vector<Row> pending_reminders();
std::vector<Row> idle_activations();
/// Of the program `counter`.
std::vector<Row> idle_node(const std::string& program);
/// Three of them, with 64 and with 256 shards: the busiest node.
std::vector<Row> idle_cluster(const std::string& program);
std::vector<Row> table_lookup();

}  // namespace troupe::bench
