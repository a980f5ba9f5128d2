#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

#include "sdk/examples/packages/demonstration.h"
#include "sdk/examples/packages/packages.h"

namespace {

constexpr int kExitUsage = 2;

int usage() {
  std::cerr << "usage: packages demo --index FILE [--packages N] [--directory D] [--threads N]\n"
               "                     [--calm yes]\n"
               "       packages [flags of a node; --help lists them]\n";
  return kExitUsage;
}

int demo(int argc, char** argv) {
  DemonstrationOptions options{
      .program = std::filesystem::read_symlink("/proc/self/exe").string(),
      .directory = (std::filesystem::temp_directory_path() / "troupe-demo").string()};
  if (argc % 2 != 0) return usage();
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const std::string value = argv[i + 1];
    if (flag == "--index") {
      options.index_file = value;
    } else if (flag == "--directory") {
      options.directory = value;
    } else if (flag == "--packages") {
      options.packages_max = std::strtoul(value.c_str(), nullptr, 10);
    } else if (flag == "--threads") {
      options.threads = std::strtoul(value.c_str(), nullptr, 10);
    } else if (flag == "--calm") {
      options.calm = value == "yes";
    } else {
      return usage();
    }
  }
  if (options.index_file.empty() || options.threads == 0) return usage();
  return demonstrate(options);
}

}  // namespace

/// A node with packages, or the demonstration around it.
int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "demo") return demo(argc, argv);
  return troupe::run<Package, Shelf, BellTower>(argc, argv);
}
