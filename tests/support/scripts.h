#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

/// Conversations with a core that stand as text files in one folder.
namespace troupe {

/// The names of its *.txt, sorted, without the ending.
inline std::vector<std::string> script_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() == ".txt") names.push_back(file.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

/// Empty if there is no such script.
inline std::string read_script(const std::filesystem::path& folder, const std::string& name) {
  std::ifstream file(folder / (name + ".txt"));
  std::stringstream script;
  script << file.rdbuf();
  return script.str();
}

}  // namespace troupe
