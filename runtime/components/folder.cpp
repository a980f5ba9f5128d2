#include "runtime/components/folder.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace troupe::components {
namespace {

constexpr std::array<std::string_view, 3> kExtensions{".yaml", ".yml", ".json"};

void add_problem(Parsed& all, const std::string& file, std::string message, bool error) {
  all.problems.push_back({.place = {file, 1}, .message = std::move(message), .error = error});
}

void read_one(const std::filesystem::path& path, Parsed& all) {
  const Result<std::string> text = read_file(path.string());
  if (!text) return add_problem(all, path.string(), text.error().message, true);
  Parsed parsed = parse_resources(*text, path.string());
  for (Resource& each : parsed.resources) all.resources.push_back(std::move(each));
  for (Problem& each : parsed.problems) all.problems.push_back(std::move(each));
}

void read_folder(const std::string& folder, Parsed& all) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator each(folder, error), end; !error && each != end;
       each.increment(error)) {
    std::error_code ignored;
    if (each->is_directory(ignored)) continue;
    const std::string extension = each->path().extension().string();
    if (std::ranges::find(kExtensions, extension) != kExtensions.end()) {
      files.push_back(each->path());
    } else if (!each->path().filename().string().starts_with('.')) {
      add_problem(all, each->path().string(), "is no .yaml, .yml or .json: passed over", false);
    }
  }
  if (error) {
    return add_problem(all, folder, "the folder cannot be read: " + error.message(), true);
  }
  std::ranges::sort(files);
  for (const std::filesystem::path& each : files) read_one(each, all);
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, "it cannot be opened");
  std::string text(kFileSizeMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) return fail(Code::kNotFound, "it cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kFileSizeMax) return fail(Code::kInvalid, "it is larger than 4 MiB");
  return text;
}

Parsed read_folders(const std::vector<std::string>& folders) {
  Parsed all;
  for (const std::string& each : folders) read_folder(each, all);
  refuse_duplicates(all);
  return all;
}

}  // namespace troupe::components
