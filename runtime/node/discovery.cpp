#include "runtime/node/discovery.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace troupe::node {
namespace {

std::string runtime_directory() {
  const char* given = std::getenv("XDG_RUNTIME_DIR");
  if (given != nullptr && *given != '\0') return given;
  return std::filesystem::temp_directory_path().string() + "/troupe-" + std::to_string(getuid());
}

bool runs(pid_t process) { return kill(process, 0) == 0 || errno == EPERM; }

}  // namespace

Discovery::Discovery(std::string cluster_name)
    : directory_(runtime_directory() + "/troupe/" + std::move(cluster_name)) {}

std::vector<std::string> Discovery::others() const {
  std::vector<std::string> addresses;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename().string();
    pid_t process = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (bad != std::errc() || end != name.data() + name.size() || process == getpid()) continue;
    if (!runs(process)) {
      std::error_code ignored;
      std::filesystem::remove(entry.path(), ignored);
      continue;
    }
    std::ifstream file(entry.path());
    std::string address;
    if (std::getline(file, address) && !address.empty()) addresses.push_back(std::move(address));
  }
  std::ranges::sort(addresses);
  return addresses;
}

void Discovery::announce(const std::string& address) {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  std::filesystem::permissions(directory_, std::filesystem::perms::owner_all, error);
  file_ = directory_ + "/" + std::to_string(getpid());
  // Whole or not at all, for those who look meanwhile.
  const std::string draft = file_ + ".new";
  std::ofstream(draft) << address << '\n';
  std::filesystem::rename(draft, file_, error);
}

void Discovery::withdraw() {
  std::error_code ignored;
  if (!file_.empty()) std::filesystem::remove(file_, ignored);
  file_.clear();
}

}  // namespace troupe::node
