#include "tools/troupe/admin_commands.h"

#include <ostream>

#include "runtime/net/url.h"
#include <troupe/json.h>

namespace troupe::tools {
namespace {

using Arguments = std::vector<std::string>;

constexpr std::string_view kRoot = "/troupe/v1";

const AdminCommand::Argument kType = {.name = "TYPE", .help = "the actor's type"};
const AdminCommand::Argument kId = {.name = "ID", .help = "the actor's id"};

std::string call_target(const Arguments& arguments) {
  return path_of("/v1.0/actors", {arguments[0], arguments[1]}) + path_of("/method", {arguments[2]});
}

Result<std::string> call(const Arguments& arguments, NodeApi& api, Terminal& terminal) {
  std::string message = arguments.size() > 3 ? arguments[3] : "";
  if (message == "-") message = terminal.read_input();
  if (!message.empty()) {
    if (const Result<Json> read = Json::parse(message); !read) {
      return fail(Code::kInvalid, "the message " + read.error().message +
                                      "; quote it for the shell, as in '{\"name\": \"tea\"}', "
                                      "or '\"text\"' for a string");
    }
  }
  return api.post(call_target(arguments), std::move(message));
}

std::string query_of(const AdminRequest& request) {
  std::string query;
  for (const auto& [name, value] : request.options) {
    query += (query.empty() ? "?" : "&") + name + "=" + net::encode_path_segment(value);
  }
  return query;
}

Result<std::string> ask(const AdminRequest& request, NodeApi& api, Terminal& terminal) {
  const Arguments& arguments = request.arguments;
  if (request.command == "call") return call(arguments, api, terminal);
  if (request.command == "drain") {
    const std::string target = path_of(kRoot, {"drain", arguments[0]});
    return request.undo ? api.remove(target) : api.post(target, "");
  }
  if (request.command == "actors") {
    return api.get(arguments.empty()
                       ? path_of(kRoot, {"actors"}) + "?all=true"
                       : path_of(kRoot, {"actors", arguments[0], "ids"}) + query_of(request));
  }
  Arguments parts = {request.command};
  parts.insert(parts.end(), arguments.begin(), arguments.end());
  return api.get(path_of(kRoot, parts) + query_of(request));
}

const AdminCommand& command_named(const std::string& name) {
  for (const AdminCommand& command : admin_commands()) {
    if (command.name == name) return command;
  }
  return admin_commands().front();
}

}  // namespace

const std::vector<AdminCommand>& admin_commands() {
  static const std::vector<AdminCommand> commands = {
      {.name = "status",
       .help = "Show how the cluster is, as a node sees it",
       .view = {.first = {"type"}}},
      {.name = "nodes",
       .help = "List the nodes of the cluster",
       .view = {.first = {"id", "address", "status"}, .nothing = "no nodes"}},
      {.name = "shards",
       .help = "List the shards, or the replicas of one as they themselves say",
       .arguments = {{.name = "SHARD", .help = "list its replicas", .required = false}},
       .view = {.first = {"shard", "leader", "node", "replica", "role", "term", "committed",
                          "applied", "lag", "replicas", "owners"},
                .nothing = "no shards; the cluster is not founded yet"}},
      {.name = "actors",
       .help = "List the actors in memory, or the ids of all saved ones of a type",
       .arguments = {{.name = "TYPE", .help = "list the saved actors of it", .required = false}},
       .options = {{.name = "limit", .help = "at most so many"},
                   {.name = "after", .help = "those after this id"}},
       .view = {.first = {"type", "id", "node"},
                .nothing = "none; an actor is in memory from its first call until it is idle",
                .list = "activations"}},
      {.name = "state",
       .help = "Show the saved state of an actor, without waking it",
       .arguments = {kType, kId},
       .view = {.first = {"name", "value"},
                .nothing =
                    "no state is saved of it; troupe actors TYPE lists the ids that have some"}},
      {.name = "reminders",
       .help = "List the reminders of an actor, or of all of a type",
       .arguments = {kType, {.name = "ID", .help = "the actor's id", .required = false}},
       .options = {{.name = "limit", .help = "at most so many"}},
       .view = {.first = {"type", "id", "name", "next"}, .nothing = "no reminders"}},
      {.name = "call",
       .help = "Call a method of an actor and print its answer",
       .arguments = {kType,
                     kId,
                     {.name = "METHOD", .help = "the method's name"},
                     {.name = "JSON",
                      .help = "its message; - reads it from input",
                      .required = false}}},
      {.name = "drain",
       .help = "Move everything off a node, so that it can be stopped",
       .arguments = {{.name = "NODE", .help = "the node's id, or the beginning of it"}},
       .can_undo = true},
  };
  return commands;
}

Result<void> run_admin(const AdminRequest& request, NodeApi& api, Terminal& terminal) {
  const Result<std::string> answer = ask(request, api, terminal);
  if (!answer) return fail(answer.error());
  // What a method answers may be of any kind, and is for pipes as often as for people.
  if (request.json || request.command == "call") {
    terminal.out << *answer;
    if (!answer->empty() && !answer->ends_with('\n')) terminal.out << '\n';
    return {};
  }
  JsonView view = command_named(request.command).view;
  if (request.command == "actors" && !request.arguments.empty()) {
    view = {.nothing = "no actor of this type has saved anything", .list = "ids"};
  }
  if (answer->empty()) {
    terminal.out << (view.nothing.empty() ? "done" : view.nothing) << '\n';
    return {};
  }
  const Result<std::string> shown = show_json(*answer, view);
  if (!shown) {
    return fail(Code::kInternal, "the answer is not JSON: " + shown.error().message +
                                     "; --json shows it as it came");
  }
  terminal.out << *shown;
  return {};
}

}  // namespace troupe::tools
