#include "tools/troupe/running_apps.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <tuple>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "tools/troupe/table.h"

namespace troupe::tools {
namespace {

constexpr std::string_view kEnding = ".run";
constexpr std::size_t kFileBytesMax = 65'536;

// Each field with its name: what is written and read.
template <class App, class Visit>
void for_each_field(App& app, Visit visit) {
  visit("app-id", app.app_id);
  visit("http-port", app.http_port);
  visit("grpc-port", app.grpc_port);
  visit("app-port", app.app_port);
  visit("run", app.run);
  visit("run-started", app.run_started);
  visit("node", app.node);
  visit("app", app.app);
  visit("storage", app.storage);
  visit("started-at", app.started_at);
  visit("command", app.command);
  visit("run-file", app.run_file);
}

std::string text_of(const std::string& value) { return printable(value); }
template <class Number>
std::string text_of(Number value) {
  return std::to_string(value);
}

bool read_into(std::string_view text, bool& value) {
  value = text == "1";
  return value || text == "0";
}
bool read_into(std::string_view text, std::string& value) {
  value = text;
  return true;
}
template <class Number>
bool read_into(std::string_view text, Number& value) {
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  return bad == std::errc() && end == text.data() + text.size();
}

// Of a small file of this user; empty if it is none.
std::string read_small(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
  const bool mine = facts.st_uid == ::getuid();
  std::ifstream file(path, std::ios::binary);
  std::string text(kFileBytesMax, '\0');
  if (!mine || !file) return {};
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

bool runs(const RunningApp& app) {
  const std::optional<ProcessFacts> facts = process_facts(app.run);
  return facts && facts->started == app.run_started;
}

}  // namespace

std::string format_running(const RunningApp& app) {
  std::string text;
  for_each_field(app, [&](std::string_view name, const auto& value) {
    text += std::string(name) + "=" + text_of(value) + "\n";
  });
  return text;
}

std::optional<RunningApp> parse_running(std::string_view text) {
  RunningApp app;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    bool good = true;
    for_each_field(app, [&](std::string_view name, auto& value) {
      if (name == line.substr(0, equals)) good = read_into(line.substr(equals + 1), value);
    });
    if (!good) return std::nullopt;
  }
  if (app.app_id.empty() || app.run <= 0) return std::nullopt;
  return app;
}

std::optional<ProcessFacts> parse_process_stat(std::string_view text) {
  // The name of the program stands in brackets and may hold anything.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::istringstream fields{std::string(text.substr(name_end + 1))};
  ProcessFacts facts;
  std::string field;
  constexpr int kParent = 4;
  constexpr int kStarted = 22;
  for (int i = 3; i <= kStarted && fields >> field; ++i) {
    if (i == kParent && !read_into(field, facts.parent)) return std::nullopt;
    if (i == kStarted && read_into(field, facts.started)) return facts;
  }
  return std::nullopt;
}

std::optional<ProcessFacts> process_facts(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (pid <= 0 || !std::getline(file, text, '\0')) return std::nullopt;
  return parse_process_stat(text);
}

std::vector<RunningApp> RunningApps::all() const {
  std::vector<RunningApp> apps;
  std::error_code error;
  std::filesystem::directory_iterator entries(directory_, error);
  if (error) return apps;
  for (const auto& entry : entries) {
    const std::string path = entry.path().string();
    if (!path.ends_with(kEnding)) continue;
    std::optional<RunningApp> app = parse_running(read_small(path));
    if (app && runs(*app)) {
      apps.push_back(*std::move(app));
    } else {
      std::error_code ignored;
      std::filesystem::remove(path, ignored);
    }
  }
  std::ranges::sort(apps, {}, [](const RunningApp& app) {
    return std::tie(app.app_id, app.started_at, app.run);
  });
  return apps;
}

Result<void> RunningApps::put(const RunningApp& app) const {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (!error) {
    std::filesystem::permissions(directory_, std::filesystem::perms::owner_all, error);
  }
  const std::string path = file_of(app);
  // Whole or not at all, for those who look meanwhile.
  std::ofstream draft(path + ".new", std::ios::trunc);
  draft << format_running(app);
  draft.close();
  if (!draft) return fail(Code::kUnavailable, "cannot write " + path);
  std::filesystem::rename(path + ".new", path, error);
  if (error) return fail(Code::kUnavailable, "cannot write " + path + ": " + error.message());
  return {};
}

void RunningApps::remove(const RunningApp& app) const {
  std::error_code ignored;
  std::filesystem::remove(file_of(app), ignored);
}

std::string RunningApps::file_of(const RunningApp& app) const {
  return directory_ + "/" + app.app_id + "." + std::to_string(app.run) + std::string(kEnding);
}

std::string running_directory(const Terminal& terminal) {
  std::string base = terminal.variable("XDG_RUNTIME_DIR").value_or("");
  if (base.empty()) {
    base = std::filesystem::temp_directory_path().string() + "/troupe-" + std::to_string(getuid());
  }
  return base + "/troupe/runs";
}

}  // namespace troupe::tools
