#include "tools/troupe/completion.h"

namespace troupe::tools {
namespace {

using Commands = std::vector<CompletedCommand>;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// Help texts stand between single quotes in all three shells.
std::string quoted(std::string_view text, std::string_view quote) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += quote;
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::string bash(const Commands& commands) {
  std::vector<std::string> names;
  std::string cases;
  for (const CompletedCommand& command : commands) {
    names.push_back(command.name);
    cases += "    " + command.name + ") words='" + joined(command.flags) + "' ;;\n";
  }
  return R"(_troupe() {
  local current="${COMP_WORDS[COMP_CWORD]}" command='' words='' word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) command="$word"; break ;; esac
  done
  case "$command" in
    '') words=')" +
         joined(names) + R"( --help --version' ;;
)" + cases +
         R"(  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _troupe troupe
)";
}

std::string zsh(const Commands& commands) {
  std::string list;
  std::string cases;
  for (const CompletedCommand& command : commands) {
    list += "    " + quoted(command.name + ":" + command.help, R"('\'')") + "\n";
    cases += "    " + command.name + ") compadd -- " + joined(command.flags) + "; _files ;;\n";
  }
  return R"(#compdef troupe
_troupe() {
  local -a commands=(
)" + list +
         R"(  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  case "${words[2]}" in
)" + cases +
         R"(  esac
}
if [ "$funcstack[1]" = _troupe ]; then _troupe; else compdef _troupe troupe; fi
)";
}

std::string fish(const Commands& commands) {
  std::string text = "complete -c troupe -f -n __fish_use_subcommand -l help\n";
  for (const CompletedCommand& command : commands) {
    text += "complete -c troupe -f -n __fish_use_subcommand -a " + command.name + " -d " +
            quoted(command.help, R"(\')") + "\n";
    for (const std::string& flag : command.flags) {
      text += "complete -c troupe -n '__fish_seen_subcommand_from " + command.name + "' -l " +
              flag.substr(2) + "\n";
    }
  }
  return text;
}

}  // namespace

Result<std::string> completion_script(std::string_view shell, const Commands& commands) {
  if (shell == "bash") return bash(commands);
  if (shell == "zsh") return zsh(commands);
  if (shell == "fish") return fish(commands);
  return fail(Code::kInvalid,
              "no completion for '" + std::string(shell) + "': use bash, zsh or fish");
}

}  // namespace troupe::tools
