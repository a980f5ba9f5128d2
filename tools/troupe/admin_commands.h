#pragma once

#include <string>
#include <vector>

#include "tools/troupe/json_view.h"
#include "tools/troupe/node_api.h"
#include "tools/troupe/terminal.h"
#include <troupe/result.h>

namespace troupe::tools {

/// A command that asks one node one thing and shows the answer.
struct AdminCommand {
  struct Argument {
    std::string name;
    std::string help;
    bool required = true;
  };

  std::string name;
  std::string help;
  std::vector<Argument> arguments = {};
  std::vector<Argument> options = {};  // go into the query: `--limit 5`
  bool can_undo = false;               // has a flag --undo
  JsonView view = {};
};

/// All of them, in the order of the help.
const std::vector<AdminCommand>& admin_commands();

/// What the person typed after the command's name; those left out are not there.
struct AdminRequest {
  std::string command;  // one of admin_commands()
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> options = {};
  bool undo = false;
  bool json = false;  // show the answer as it is
};

/// Asks and prints. Requires the command's required arguments.
Result<void> run_admin(const AdminRequest& request, NodeApi& api, Terminal& terminal);

}  // namespace troupe::tools
